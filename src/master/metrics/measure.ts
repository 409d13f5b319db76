/** The metrics of a master at one moment: reads what was counted, and asks the kernel. */

import type { Settings } from '../../config/settings.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Listener } from '../sockets/listener.ts';
import type { CountersFile } from './counters-file.ts';
import type { Family } from './exposition.ts';
import { familiesOf } from './families.ts';
import { readQueues } from './listen-queue.ts';

export interface Metered {
  readonly counters: CountersFile;
  readonly listeners: readonly Listener[];
  readonly workerClass: Settings['workerClass'];
  /** Whether a master runs beside this one. */
  readonly hasOther: boolean;
  readonly certificates: ReadonlyMap<string, number>;
  readonly snapshot: () => Snapshot;
}

export async function measure({ counters, listeners, snapshot, ...rest }: Metered): Promise<Family[]> {
  const sockets = listeners.flatMap(({ address, socket }) => ('fd' in socket ? [{ address, fd: socket.fd }] : []));
  const queues = await readQueues(sockets);
  return familiesOf({ ...rest, snapshot: snapshot(), ...counters.read(), queues });
}
