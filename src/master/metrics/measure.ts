/** The metrics of a master at one moment: reads what was counted, and asks the kernel. */

import type { Settings } from '../../config/settings.ts';
import type { WorkerRequests } from '../children/running.ts';
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
  /** Asks the watchdogs of all workers. */
  readonly requests: () => Promise<readonly WorkerRequests[]>;
}

export async function measure({ counters, listeners, snapshot, requests, ...rest }: Metered): Promise<Family[]> {
  const sockets = listeners.flatMap(({ address, socket }) => ('fd' in socket ? [{ address, fd: socket.fd }] : []));
  const isStuck = snapshot().workers.some(({ unresponsive }) => unresponsive);
  const [queues, running] = await Promise.all([readQueues(sockets), isStuck ? requests() : []]);
  const stuck = new Map(
    running
      .filter(({ unresponsive }) => unresponsive)
      .map(({ pid, requests, more }) => [pid, requests.length + more] as const),
  );
  return familiesOf({ ...rest, snapshot: snapshot(), ...counters.read(), queues, stuck });
}
