/** The conformance cases, at the parser alone: whole, by line, by byte, and at seeded random cuts. */

import { describe, expect, test } from 'vitest';
import { environMaker } from '../../src/app/wsgi/environ.ts';
import { nowhere, unixEnd } from '../../src/http/ends.ts';
import { Exchange, type Transport } from '../../src/http/exchange.ts';
import { KnownHeads } from '../../src/http/h1/known-heads.ts';
import { bySection, type Case, conformanceLimits, loadCases } from './conformance.ts';
import { atRandom, byLine, bySize, seededRandom } from './cuts.ts';
import { feed, type Parsed, type ParsedRequest } from './feed.ts';

const cases = loadCases();
const randomCuts = 12;
const known = new KnownHeads();
/** Beyond it, feeding byte by byte proves nothing new and takes its time. */
const maxBytesByByte = 64 * 1024;

test('there are at least 480 cases, and no two of one section have the same name', () => {
  expect(cases.length).toBeGreaterThanOrEqual(480);
  const names = cases.map(({ section, name }) => `${section} ${name}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

for (const [section, ofSection] of bySection(cases)) {
  describe(section, () => {
    for (const each of ofSection) test(`${each.name} (${each.place})`, () => check(each));
  });
}

function check(each: Case): void {
  const bytes = Buffer.concat(each.parts);
  const whole = feed([bytes], conformanceLimits);
  expect(feed(byLine(bytes), conformanceLimits), 'by line').toEqual(whole);
  const step = bytes.length <= maxBytesByByte ? 1 : 997;
  expect(feed(bySize(bytes, step), conformanceLimits), 'by byte').toEqual(whole);
  for (let seed = 1; seed <= randomCuts; seed++) {
    const pieces = atRandom(bytes, seededRandom(seed), 1 + (seed % 6));
    expect(feed(pieces, conformanceLimits), `at random cuts, seed ${seed}`).toEqual(whole);
  }
  for (const time of ['first', 'second'])
    expect(feed([bytes], conformanceLimits, known), `where its head may be known, ${time} time`).toEqual(whole);
  // Last: an environ gives its request an id, which no two have alike.
  checkOutcome(each, whole);
}

/** What a connection that serves an app which reads its bodies would make of it. */
function checkOutcome({ expected, sees, halfCloses }: Case, { requests, error, state }: Parsed): void {
  const served = requests.filter(({ isComplete }) => isComplete);
  // Whether an app left a body unread, and what came of that, is not the parser's to know.
  if (requests.some(({ head }) => head.path === '/unread')) return;

  const statuses = served.map(() => 200);
  if (error !== undefined) statuses.push(error.status);
  const isCutShort = halfCloses && (state === 'head' || state === 'body');
  if (isCutShort) statuses.push(400);
  expect(statuses, error?.message).toEqual(expected.statuses.filter((status) => status >= 200));
  expect(state !== 'idle' || halfCloses, `closes, in state ${state}`).toBe(expected.closes);
  if (!expected.closes) expect(state).toBe('idle');

  if (sees === undefined) return;
  expect(served.map(({ head }) => `${head.method} ${head.target}`)).toEqual(
    sees.map(({ method, target }) => `${method} ${target}`),
  );
  for (const [index, { body, environ }] of sees.entries()) {
    if (body !== undefined) expect(served[index]!.body).toBe(body);
    const seen = environOf(served[index]!);
    for (const [key, value] of Object.entries(environ)) expect(seen[key], key).toBe(value);
  }
}

const makeEnviron = environMaker({ multithread: false, multiprocess: false, onErrorLine: () => {} });

function environOf({ head }: ParsedRequest): Record<string, unknown> {
  const transport = { ends: { local: unixEnd, remote: nowhere, scheme: 'http' } } as Transport;
  return makeEnviron(new Exchange(head, transport, 0));
}
