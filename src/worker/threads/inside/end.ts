/** The end of a thread, when all that it served is over. */

import type { MessagePort } from 'node:worker_threads';
import type { Listening } from '../../../app/server-files/listening.ts';
import { shutDown } from '../../../app/server-files/shutdown.ts';
import { report } from '../../../errors.ts';
import type { Outlet } from './outlet.ts';

export interface Ending {
  readonly port: MessagePort;
  readonly outlet: Outlet;
  readonly listening: Listening | undefined;
  /** Of a framework. */
  readonly close: () => Promise<void>;
}

export async function endThread({ port, outlet, listening, close }: Ending): Promise<never> {
  listening?.closeOthers();
  await close().catch((error) => outlet.post(['line', `the app failed to close: ${report(error).message}`]));
  // The app's own shutdown code may take as long as the worker has.
  outlet.post(['closing']);
  port.unref();
  await shutDown(listening, (text) => outlet.post(['say', 'error', text]));
  process.exit();
}
