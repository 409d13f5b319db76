/** The conformance cases as tests against a running server, for every server there is a `Target` of. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bySection, loadCases } from './conformance.ts';
import { atRandom, seededRandom } from './cuts.ts';
import { faults } from './judge.ts';
import { observe, type Target } from './observe.ts';

const maxWrites = 6;

/** @param open starts a server that runs `echo-app.ts` with `conformanceLimits` */
export function describeConformance(server: string, open: () => Promise<Target>): void {
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
            expect(faults(each, await observe(target, each)), 'sent whole').toEqual([]);
            const random = seededRandom(index + 1);
            const cut = (part: Buffer) => atRandom(part, random, maxWrites - 1);
            expect(faults(each, await observe(target, each, { cut })), 'sent in several writes').toEqual([]);
          });
        }
      });
    }
  });
}
