/** What holds for other servers in every case, beyond the `or` of each: which refusal it is, and whether it ends the connection. */

import type { Case } from '../conformance.ts';

/** Where an error ends the connection by a MUST, since what follows cannot be told from a body. */
export function mustCloseAfterError({ section }: Case): boolean {
  return /^RFC 9112 §(?:2|3|5|6|7|11)(?:\.|$)/.test(section) && section !== 'RFC 9112 §3.2';
}

/** A refused request may be refused by any of them: which one is seldom a MUST. */
export const refusals: readonly number[] = [400, 413, 414, 417, 421, 431, 501, 505];
