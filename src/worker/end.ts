/** The end of the process, for whatever reason: what the log says, and what clients must not misunderstand. */

import type { Logger } from '../logger.ts';
import type { Exit } from './exit.ts';

/** More of them would make a log line of a megabyte. */
const mostListed = 20;

/** Called once it serves: its listener comes after those of the app, which may answer yet. */
export function watchForEnd({ log, exit }: { readonly log: Logger; readonly exit: Exit }): void {
  process.once('exit', (code) => {
    const serving = exit.worker?.serving;
    if (serving === undefined) return;
    // Nobody else knows then which requests were cut.
    if (!exit.isLeaving) {
      const cut = serving.running();
      const fields = { reason: 'crashed', code, cut: cut.length, running: cut.slice(0, mostListed) };
      log.event(
        'error',
        'worker_recycled',
        fields,
        'the app has ended its process (process.exit): its requests are cut',
      );
    }
    serving.cutUnfinished();
  });
}
