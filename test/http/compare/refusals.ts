/** Rules for other servers that no case repeats: which statuses count as a refusal, and after which the connection must be closed. */

import type { Case } from '../conformance.ts';

/** Sections in which a server MUST close after an error: it cannot tell where the next request begins. */
export function mustCloseAfterError({ section }: Case): boolean {
  return /^RFC 9112 §(?:2|3|5|6|7|11)(?:\.|$)/.test(section) && section !== 'RFC 9112 §3.2';
}

/** Any of these counts as the expected refusal: an RFC seldom says which one MUST be used. */
export const refusals: readonly number[] = [400, 413, 414, 417, 421, 431, 501, 505];
