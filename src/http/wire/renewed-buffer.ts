/**
 * Repeats to Node which memory it reads into next, after an error has escaped. In the ticks right after `onread`, Node has not
 * taken over the memory that `onread` returned; if an error escapes there, Node goes on with the memory before.
 */

import { binding } from './write-requests.ts';

interface Renewing {
  repeatBuffer(): void;
}

let last: Renewing | undefined;
if (binding !== undefined) process.on('uncaughtExceptionMonitor', () => last?.repeatBuffer());

/** The wire has returned other memory from `onread`. */
export function noteRenewed(wire: Renewing): void {
  last = wire;
}

/** The wire has ended. */
export function forgetRenewed(wire: Renewing): void {
  if (last === wire) last = undefined;
}
