/**
 * What conforms too, beyond the `or` of the cases: outcomes that only servers other than tsgun have. `open`: the server
 * neither answers further nor closes, since it waits for bytes that the client never sends.
 */

import type { Case } from '../conformance.ts';

export interface Leniency {
  /** Of `section: name`. */
  readonly cases: RegExp;
  readonly statuses: readonly number[];
  readonly end: 'alive' | 'close' | 'open';
  readonly reason: string;
}

export const leniencies: readonly Leniency[] = [
  {
    cases: /: a large body that the app leaves unread/,
    statuses: [200],
    end: 'alive',
    reason: 'A server may read a body of any size to its end.',
  },
  {
    cases: /: a large chunked body that the app leaves unread/,
    statuses: [200, 200],
    end: 'alive',
    reason: 'A server may read a body of any size to its end, and what follows it is a request.',
  },
  {
    cases: /: a broken chunk in a body left unread/,
    statuses: [200, 400],
    end: 'close',
    reason: 'What follows the answered request may be answered as a broken one.',
  },
  {
    cases: /: a client that waits for an app that does not read/,
    statuses: [200],
    end: 'open',
    reason: 'After its answer a server may wait for the body.',
  },
  {
    cases: /: after a 417 the body is not read as a request/,
    statuses: [200],
    end: 'alive',
    reason: 'A server may ignore expectations that it does not know (RFC 9110 §10.1.1: MAY respond 417).',
  },
  {
    cases: /: Transfer-Encoding on HTTP\/1\.0 is refused/,
    statuses: [200],
    end: 'close',
    reason: 'RFC 9112 §6.1: close the connection after processing the message.',
  },
  {
    cases: /: a TLS hello on a plain port/,
    statuses: [],
    end: 'close',
    reason: 'A request that never was complete needs no answer (RFC 9112 §8: MAY).',
  },
  {
    cases: /: two LFs in a row do not end a head/,
    statuses: [200, 200],
    end: 'alive',
    reason: 'Where a LF alone ends a line, two of them end the head, and another request follows.',
  },
  {
    cases: /^RFC 9112 §2\.2: .*\b(?:bare LFs?|two LFs|a LF before the CR)\b/,
    statuses: [],
    end: 'open',
    reason: 'Where a LF alone ends no line, the head is not complete yet.',
  },
];

export function lenienciesFor({ section, name }: Case): Leniency[] {
  return leniencies.filter(({ cases }) => cases.test(`${section}: ${name}`));
}

/** Where an error ends the connection by a MUST, since what follows cannot be told from a body. */
export function mustCloseAfterError({ section }: Case): boolean {
  return /^RFC 9112 §(?:2|3|5|6|7|11)(?:\.|$)/.test(section) && section !== 'RFC 9112 §3.2';
}

/** A refused request may be refused by any of them: which one is seldom a MUST. */
export const refusals: readonly number[] = [400, 413, 414, 417, 421, 431, 501, 505];
