/** The conformance cases as tests against a running server, for every server there is a `Target` of. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bySection, loadCases } from './conformance.ts';
import { atRandom, seededRandom } from './cuts.ts';
import { faults, outcomeFaults } from './judge.ts';
import { type Observation, observe, type Target } from './observe.ts';

const maxWrites = 6;

export interface SuiteOptions {
  /**
   * The app answers a moment after it could: a body that it does not read may be found broken first. Then what the RFC
   * allows other servers is right as well.
   */
  readonly answersLater?: boolean;
}

/** @param open starts a server that runs `echo-app.ts` with `conformanceLimits` */
export function describeConformance(server: string, open: () => Promise<Target>, options: SuiteOptions = {}): void {
  describe(`conformance of ${server}`, () => {
    let target: Target;
    beforeAll(async () => {
      target = await open();
    });
    afterAll(() => target.close());

    for (const [section, cases] of bySection(loadCases())) {
      describe(section, () => {
        for (const [index, each] of cases.entries()) {
          test(`${each.name} (${each.place})`, async () => {
            const judge = (observation: Observation) => {
              const isOpen = options.answersLater === true && each.sees?.some((seen) => seen.target === '/unread');
              const others = isOpen === true ? each.alternatives : [];
              if (others.some((outcome) => outcomeFaults(each, outcome, observation).length === 0)) return [];
              return faults(each, observation);
            };
            expect(judge(await observe(target, each)), 'sent whole').toEqual([]);
            const random = seededRandom(index + 1);
            const cut = (part: Buffer) => atRandom(part, random, maxWrites - 1);
            expect(judge(await observe(target, each, { cut })), 'sent in several writes').toEqual([]);
          });
        }
      });
    }
  });
}
