/** Whether the service should be sent requests, and if not, why. Pure. */

import type { Snapshot } from '../snapshot.ts';

/** Why it is not ready; empty if it is. */
export function unreadyReasons({ state, workers }: Pick<Snapshot, 'state' | 'workers'>): string[] {
  if (state === 'stopping') return ['the service stops'];
  if (state === 'draining') return ['the service is about to stop: --drain-delay runs'];
  if (state === 'starting') return ['no worker has been ready yet'];
  const ready = workers.filter((worker) => worker.state === 'ready');
  if (ready.length === 0) return ['no worker is ready'];
  if (ready.some(({ unresponsive }) => !unresponsive)) return [];
  return ready.map(
    ({ worker, pid, silentMs }) =>
      `worker ${worker} (pid ${pid}) has been silent for ${(silentMs / 1000).toFixed(1)} s`,
  );
}
