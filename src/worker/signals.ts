/**
 * Signals in a worker. A terminal or a supervisor sends them to the whole process group: what they mean is the master's to
 * say, and the app's own listeners for the end are called when its last request is answered (`app/server-files/shutdown.ts`).
 */

import { takeSignal } from '../node/process-events.ts';

/** @param onTerm somebody wants this worker to end */
export function holdSignals(onTerm: () => void): void {
  takeSignal('SIGTERM', () => {
    onTerm();
    return true;
  });
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const) takeSignal(signal, () => true);
}
