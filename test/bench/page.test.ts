/** The page of `npm run bench`, and that it is what the results say. */

import { describe, expect, it } from 'vitest';
import { failedRun, load, type Peer, run, type Scenario, type Summary } from './scripts.ts';

const { pageOf, tableOf } = await load<{
  pageOf(scenarios: readonly Scenario[], peers: readonly Peer[], report: unknown): Record<string, string>;
  tableOf(scenario: Scenario, peers: readonly Peer[], report: unknown): string;
}>('lib/page.mjs');
const { drawBars } = await load<{ drawBars(chart: Record<string, unknown>): string }>('lib/bar-chart.mjs');
const { check } = await load<{ check(): string | undefined }>('lib/publication.mjs');
const { scenarios } = await load<{ scenarios: Scenario[] }>('scenarios/index.mjs');
const { peers } = await load<{ peers: Peer[] }>('peers/index.mjs');
const { summarize } = await load<{ summarize(values: readonly number[]): Summary }>('lib/statistics.mjs');

describe('the page', () => {
  const scenario = scenarios.find(({ id }) => id === 'hello')!;
  const some = peers.filter(({ id }) => ['tsgun', 'node-http'].includes(id));
  const rates = { tsgun: [110_000, 120_000, 115_000], 'node-http': [70_000, 70_000, 70_000] };
  const report = {
    head: {
      ...{ date: '2026-01-01', node: '20.20.2', kernel: '6.1', cpu: 'CPU', cores: 2, commit: 'abc1234' },
      ...{ rounds: 3, seconds: 4, warmUpSeconds: 2, tool: 'wrk' },
    },
    peers: {
      tsgun: { versions: { tsgun: '0.1.0' } },
      'node-http': { versions: { Node: '20.20.2' } },
      puma: { missing: 'not here' },
    },
    runs: Object.entries(rates).flatMap(([peer, list]) =>
      list.map((rate, index) => run('hello', peer, index + 1, { rate, p50: 0.3, p99: 1, cpuUs: 9, foreign: 0 })),
    ),
  };

  it('has a row for each peer, the best first, with the spread and the ratio', () => {
    const [, , first, second] = tableOf(scenario, some, report).split('\n');
    expect(first).toBe('| tsgun | 115.0 k ± 4 % | 1.64× | 0.30 ms | 1.00 ms | 9.0 |');
    expect(second).toBe('| node:http | 70.0 k | 1.00× | 0.30 ms | 1.00 ms | 9.0 |');
  });

  it('says that a peer did not work', () => {
    const broken = { ...report, runs: [failedRun('hello', 'tsgun', 1, 'no answer')] };
    expect(tableOf(scenario, some, broken)).toContain('| tsgun | did not work |');
  });

  it('has its charts, and says who took part and who did not', () => {
    const files = pageOf(scenarios, peers, report);
    expect(Object.keys(files)).toEqual(['benchmarks.md', 'benchmarks/hello.svg']);
    expect(files['benchmarks.md']).toContain('](benchmarks/hello.svg)');
    expect(files['benchmarks.md']).toContain('| node:http | Node 20.20.2 |');
    expect(files['benchmarks.md']).toContain('| Puma | did not take part | not here |');
  });

  it('and bench/results.json agree, or neither exists', () => expect(check()).toBeUndefined());
});

describe('a chart', () => {
  const value = summarize([90, 100, 110]);
  const chart = { title: 'a < b', unit: 'requests', better: 'more', show: String };
  const svg = drawBars({
    ...chart,
    bars: [
      { name: 'A & B', kind: 'tsgun', value },
      { name: 'C', kind: 'Node', value: undefined },
    ],
  });

  it('can be read on light and on dark, and by those who cannot see it', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('<title id="title">a &lt; b</title>');
    expect(svg).toContain('A &amp; B');
    expect(svg).toContain('not measured');
  });

  it('keeps its bars within the picture', () => {
    const ends = [...svg.matchAll(/<rect class="tsgun" x="(\d+)".* width="([\d.]+)"/g)].map(
      ([, x, width]) => Number(x) + Number(width),
    );
    expect(ends[0]).toBeLessThan(720);
  });
});
