/**
 * Signals in a worker. A terminal or a supervisor sends them to the whole process group; only the master decides what they
 * mean. The app's own listeners for TERM and INT are called when its last request is answered (`app/server-files/shutdown.ts`).
 */

import { takeSignal } from '../../node/process-events.ts';

/** @param onTerm is called when TERM is sent to this worker */
export function holdSignals(onTerm: () => void): void {
  takeSignal('SIGTERM', () => {
    onTerm();
    return true;
  });
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const) takeSignal(signal, () => true);
}
