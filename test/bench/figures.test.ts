/** The figures of `npm run bench`: their order, their medians, whether they may be published, and how they are kept. */

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { failedRun, load, type Run, run, type Summary, type Turn } from './scripts.ts';

const { quantile, summarize, cellsOf } = await load<{
  quantile(values: readonly number[], share: number): number;
  summarize(values: readonly number[]): Summary;
  cellsOf(runs: readonly Run[]): Map<string, Map<string, { figures: Record<string, Summary>; errors: string[] }>>;
}>('lib/statistics.mjs');
const { choose, turnsOf } = await load<{
  choose<S, P>(names: string[], known: { scenarios: S[]; peers: P[] }): { scenarios: S[]; peers: P[] };
  turnsOf(
    scenarios: { id: string; rounds?: number }[],
    peers: { id: string; lacks?: Record<string, string> }[],
    rounds: number,
  ): { scenario: { id: string }; peer: { id: string }; round: number }[];
}>('lib/turns.mjs');
const { reasonsNotToPublish, quietestOf } = await load<{
  reasonsNotToPublish(runs: readonly Run[], turns: readonly Turn[]): string[];
  quietestOf<F extends { foreign: number }>(measure: () => Promise<F>): Promise<F>;
}>('lib/noise.mjs');
const { secondsLeft, progressLine, duration } = await load<{
  secondsLeft(expected: number[], taken: number[]): number;
  progressLine(done: number, all: number, seconds: number, what: string): string;
  duration(seconds: number): string;
}>('lib/progress.mjs');
const { Campaign } = await load<{
  Campaign: new (
    folder: string,
    head: Record<string, unknown>,
    isFresh?: boolean,
  ) => { file: string; head: Record<string, unknown>; runs: Run[]; has(turn: Turn): boolean; add(run: Run): void };
}>('lib/campaign.mjs');

describe('the figures of several runs', () => {
  it.each([
    [[1], 0.5, 1],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[10, 20], 0.9, 19],
  ])('of %j, the %d quantile is %d', (values, share, wanted) => expect(quantile(values, share)).toBeCloseTo(wanted));

  it('have a median and the distance of the outermost', () => {
    expect(summarize([90, 100, 130])).toEqual({ median: 100, low: 90, high: 130, spread: 0.2, count: 3 });
    expect(summarize([0, 0, 0]).spread).toBe(0);
  });

  it('are put together by scenario and peer, without those that do not count', () => {
    const runs = [
      run('hello', 'a', 1, { rate: 10, how: 'x' }),
      run('hello', 'a', 2, { rate: 30, how: 'y' }),
      failedRun('hello', 'a', 3, 'not answered'),
    ];
    const cell = cellsOf(runs).get('hello')?.get('a');
    expect(cell?.figures).toEqual({ rate: summarize([10, 30]) });
    expect(cell?.errors).toEqual(['not answered']);
  });
});

describe('the order of turns', () => {
  const [one, two] = [{ id: 'one' }, { id: 'two', lacks: { b: 'it cannot' } }];
  const order = (list: ReturnType<typeof turnsOf>) =>
    list.map(({ scenario, peer, round }) => `${scenario.id}${round}${peer.id}`);

  it('is turned round in every other round', () => {
    expect(order(turnsOf([{ id: 'a' }], [one, two], 3))).toEqual([
      'a1one',
      'a1two',
      'a2two',
      'a2one',
      'a3one',
      'a3two',
    ]);
  });

  it('leaves out what a peer cannot do, and rounds beyond those of a scenario', () => {
    expect(order(turnsOf([{ id: 'b', rounds: 2 }], [one, two], 5))).toEqual(['b1one', 'b2one']);
  });

  it('follows the names that were given', () => {
    const known = { scenarios: [{ id: 'a' }, { id: 'b' }], peers: [one, two] };
    expect(choose([], known)).toEqual(known);
    expect(choose(['two'], known)).toEqual({ scenarios: known.scenarios, peers: [two] });
    expect(choose(['b', 'one'], known)).toEqual({ scenarios: [{ id: 'b' }], peers: [one] });
    expect(() => choose(['c'], known)).toThrow(/no scenario or peer c\nscenarios: a b\npeers: one two/);
  });
});

describe('what must not be published', () => {
  const turns = Array.from({ length: 20 }, (_, index) => ({ scenario: 'hello', peer: 'a', round: index + 1 }));
  const quiet = turns.map(({ round }) => run('hello', 'a', round, { foreign: 0.02 }));

  it('is nothing of a quiet machine', () => expect(reasonsNotToPublish(quiet, turns)).toEqual([]));

  it('is a run in which others used the processor', () => {
    const noisy = quiet.map((each) => (each.round > 2 ? each : { ...each, figures: { foreign: 0.3 } }));
    expect(reasonsNotToPublish(noisy, turns)).toEqual([
      'other processes took more than 10 % of a core in 2 of 20 turns',
    ]);
  });

  it('is a run whose machine changed its speed', () => {
    const slow = quiet.map((each) => (each.round > 4 ? each : { ...each, calibrationMs: 15 }));
    expect(reasonsNotToPublish(slow, turns)[0]).toMatch(/the same loop took 1\.50 times as long/);
  });

  it('is a run that is not over, or has faults', () => {
    expect(reasonsNotToPublish(quiet.slice(1), turns)).toEqual(['1 of 20 turns have not been made']);
    const faulty = [failedRun('hello', 'a', 1, '3 × status'), ...quiet.slice(1)];
    expect(reasonsNotToPublish(faulty, turns)).toEqual(['hello, a, round 1 does not count: 3 × status']);
  });
});

describe('a turn in which others took part of a core', () => {
  const of = async (...shares: number[]) => {
    const left = shares.values();
    const best = await quietestOf(async () => ({ foreign: left.next().value ?? Number.NaN }));
    return [best.foreign, ...left];
  };

  it('is made again until one is quiet', async () => expect(await of(0.3, 0.05, 0.2)).toEqual([0.05, 0.2]));
  it('is made four times at the most, and the quietest counts', async () =>
    expect(await of(0.4, 0.3, 0.2, 0.3, 0.01)).toEqual([0.2, 0.01]));
});

describe('turns that are kept', () => {
  const head = { date: '2026-01-01', node: '20', rounds: 5 };
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'tsgun-campaign-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  it('are there after an interruption amid a line, on another day too; those that failed are made again', () => {
    const path = folder();
    const first = new Campaign(path, head);
    first.add(run('hello', 'a', 1, { rate: 1 }));
    first.add(failedRun('hello', 'a', 2, 'no answer'));
    appendFileSync(first.file, '{"scenario":"hello","peer":"a","rou');
    const second = new Campaign(path, { ...head, date: '2026-01-02' });
    expect(second.runs).toHaveLength(2);
    expect(second.head.date).toBe('2026-01-01');
    expect(second.has({ scenario: 'hello', peer: 'a', round: 1 })).toBe(true);
    expect(second.has({ scenario: 'hello', peer: 'a', round: 2 })).toBe(false);
  });

  it('belong to one machine, commit and pace', () => {
    const path = folder();
    new Campaign(path, head).add(run('hello', 'a', 1, {}));
    expect(new Campaign(path, { ...head, node: '22' }).runs).toEqual([]);
    expect(new Campaign(path, head, true).runs).toEqual([]);
  });
});

describe('the progress', () => {
  it('tells the time left by what the turns before took', () => {
    expect(secondsLeft([10, 10, 20], [])).toBe(40);
    expect(secondsLeft([10, 10, 20], [15, 15])).toBe(30);
    expect([duration(5), duration(600), duration(6000)]).toEqual(['5 s', '10 min', '1 h 40 min']);
    expect(progressLine(1, 2, 60, 'hello')).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} 1/2, 60 s left: hello`);
  });
});
