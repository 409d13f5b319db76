/** The conformance cases as tests against a running server, for every server there is a `Target` of. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOnePerConnection, bySection, type Case, loadCases } from './conformance.ts';
import { atRandom, seededRandom } from './cuts.ts';
import { faults, outcomeFaults } from './judge.ts';
import { type Observation, type ObserveOptions, observe, type Target } from './observe.ts';

const maxWrites = 6;

export interface ServerKind {
  /** Whether it closes each connection after one answer. */
  readonly isOnePerConnection?: boolean;
  /** Whether it runs beside the client, in a process of its own. */
  readonly isApart?: boolean;
  /**
   * The app answers a moment after it could: a body that it does not read may be found broken first. Then what the RFC
   * allows other servers is right as well.
   */
  readonly answersLater?: boolean;
  /** A body is read whole before the app runs: one that the app leaves unread is then whole, or found broken. */
  readonly readsAhead?: boolean;
}

/** @param open starts a server that runs `echo-app.ts` with `conformanceLimits` */
export function describeConformance(server: string, open: () => Promise<Target>, kind: ServerKind = {}): void {
  const { isOnePerConnection = false, isApart = false, answersLater = false, readsAhead = false } = kind;
  const loaded = readsAhead ? loadCases().flatMap(asReadAhead) : loadCases();
  const cases = isOnePerConnection ? loaded.map(asOnePerConnection) : loaded;
  const look = async (target: Target, each: Case, options?: ObserveOptions) => {
    const observation = await observe(target, each, options);
    return isApart && sendsAfterItsEnd(each) && observation.end === 'reset'
      ? { ...observation, end: 'ended' as const }
      : observation;
  };
  describe(`conformance of ${server}`, () => {
    let target: Target;
    beforeAll(async () => {
      target = await open();
    });
    afterAll(() => target.close());

    for (const [section, members] of bySection(cases)) {
      describe(section, () => {
        for (const [index, each] of members.entries()) {
          test(`${each.name} (${each.place})`, async () => {
            const judge = (observation: Observation) => {
              const isOpen = answersLater && each.sees?.some((seen) => seen.target === '/unread');
              const others = isOpen === true ? each.alternatives : [];
              if (others.some((outcome) => outcomeFaults(each, outcome, observation).length === 0)) return [];
              return faults(each, observation);
            };
            expect(judge(await look(target, each)), 'sent whole').toEqual([]);
            const random = seededRandom(index + 1);
            const cut = (part: Buffer) => atRandom(part, random, maxWrites - 1);
            expect(judge(await look(target, each, { cut })), 'sent in several writes').toEqual([]);
          });
        }
      });
    }
  });
}

/** The same cases for a server that has all of a body before its app runs. */
function asReadAhead(each: Case): Case[] {
  const { ahead } = each;
  if (ahead === undefined) return [each];
  // Nobody is answered before a body that never comes.
  if (ahead.statuses.length === 0) return [];
  return [{ ...each, expected: ahead, sees: undefined }];
}

/**
 * A client that sends on after a request of its own with `Connection: close` breaks its word (RFC 9112 §9.6); what it
 * sends once the server has left is reset, and whether it is already there by then is chance.
 */
function sendsAfterItsEnd({ parts }: Case): boolean {
  const [head = '', ...rest] = Buffer.concat(parts).toString('latin1').split('\r\n\r\n');
  return /^connection:.*\bclose\b/im.test(head) && rest.join('') !== '';
}
