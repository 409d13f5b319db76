/** A service of some capacity, simulated with a clock of its own: what the limit makes of loads below and above it. */

import { describe, expect, it } from 'vitest';
import { AdaptiveLimit } from '../../../src/worker/overload/adaptive-limit.ts';
import { Routes } from '../../../src/worker/overload/routes.ts';
import { seededRandom } from '../../http/cuts.ts';

interface Phase {
  readonly seconds: number;
  /** Requests per second, which come at random. */
  readonly rate: number;
  /** How long one takes once it has its place, in ms, on average. */
  readonly serviceMs?: number;
  readonly path?: string;
}

interface Result {
  readonly offered: number;
  readonly shed: number;
  /** Answers per second. */
  readonly goodput: number;
  readonly p50: number;
  readonly p99: number;
}

/** @param places how many are served at once, by a pool that the requests wait for */
function simulate(places: number, phases: readonly Phase[], seed = 1): Result[] {
  const random = seededRandom(seed);
  const limit = new AdaptiveLimit(2);
  const routes = new Routes();
  let now = 0;
  let nextLook = 50;
  let running: { came: number; path: string; work: number; ends: number }[] = [];
  const waiting: typeof running = [];
  let actualMs = 0;
  let usualMs = 0;
  let completed = 0;
  let mostRunning = 0;
  let slowdown = 1;
  return phases.map(({ seconds, rate, serviceMs = 100, path = '/a' }) => {
    const end = now + seconds * 1000;
    const times: number[] = [];
    let offered = 0;
    let shed = 0;
    let nextArrival = now;
    for (; now < end; now++) {
      for (const request of running.filter(({ ends }) => ends <= now)) {
        const took = now - request.came;
        times.push(took);
        actualMs += took;
        usualMs += routes.note('GET', request.path, took, limit.isCalm(slowdown), now);
        completed++;
      }
      running = running.filter(({ ends }) => ends > now);
      while (running.length < places && waiting.length > 0) {
        const request = waiting.shift()!;
        running.push({ ...request, ends: now + request.work });
      }
      while (nextArrival <= now) {
        nextArrival += (-Math.log(1 - random()) * 1000) / rate;
        offered++;
        if (running.length + waiting.length >= limit.limit) {
          shed++;
          continue;
        }
        waiting.push({ came: now, path, work: Math.round(serviceMs * (0.5 + random())), ends: 0 });
        mostRunning = Math.max(mostRunning, running.length + waiting.length);
      }
      if (now < nextLook) continue;
      if (completed >= 5 || now >= nextLook + 500) {
        slowdown = usualMs === 0 ? 1 : actualMs / usualMs;
        routes.rescale(
          limit.look({
            ms: now - nextLook + 50,
            completed,
            actualMs,
            usualMs,
            running: running.length + waiting.length,
            mostRunning,
            late: [...running, ...waiting].filter(({ came, path }) => routes.isLate('GET', path, now - came, 1.2))
              .length,
          }),
        );
        actualMs = 0;
        usualMs = 0;
        completed = 0;
        mostRunning = running.length + waiting.length;
        nextLook = now + 50;
      }
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    return { offered, shed, goodput: times.length / seconds, p50: at(0.5), p99: at(0.99) };
  });
}

describe('the limit of requests in progress', () => {
  it.each([1, 2, 3, 4, 5])('sheds nothing below capacity, whatever chance does (%s)', (seed) => {
    const [calm, busy] = simulate(
      10,
      [
        { seconds: 30, rate: 30 },
        { seconds: 120, rate: 75 },
      ],
      seed,
    ) as [Result, Result];
    expect(calm.shed).toBe(0);
    expect(busy.shed / busy.offered).toBeLessThan(0.005);
  });

  it.each([1, 2, 3, 4, 5])(
    'at twice the capacity keeps the work done, and what is answered quick; then it is over (%s)',
    (seed) => {
      const [calm, heavy, after] = simulate(
        10,
        [
          { seconds: 20, rate: 50 },
          { seconds: 30, rate: 200 },
          { seconds: 2, rate: 50 },
          { seconds: 20, rate: 50 },
        ],
        seed,
      ) as [Result, Result, Result];
      expect(heavy.goodput).toBeGreaterThan(90);
      expect(heavy.p99).toBeLessThan(3 * calm.p99);
      expect(after.shed / after.offered).toBeLessThan(0.05);
    },
  );

  it('does not take requests that have become slower for another reason for overload, for long', () => {
    const [, slower, later] = simulate(1000, [
      { seconds: 20, rate: 100 },
      { seconds: 5, rate: 100, serviceMs: 400 },
      { seconds: 30, rate: 100, serviceMs: 400 },
    ]) as [Result, Result, Result];
    expect(slower.shed / slower.offered).toBeLessThan(0.3);
    expect(later.shed).toBe(0);
  });

  it.each([1, 2, 3])('does not take a sudden crowd for what is usual (%s)', (seed) => {
    for (let seconds = 2; seconds < 3; seconds += 0.1) {
      const [, heavy] = simulate(
        2,
        [
          { seconds, rate: 10, serviceMs: 50 },
          { seconds: 5, rate: 400, serviceMs: 50 },
        ],
        seed,
      );
      expect(heavy!.shed / heavy!.offered).toBeGreaterThan(0.7);
    }
  });

  it('does not take another mix of requests for overload', () => {
    const results = simulate(1000, [
      { seconds: 20, rate: 500, serviceMs: 5, path: '/light' },
      { seconds: 10, rate: 20, serviceMs: 300, path: '/heavy' },
      { seconds: 10, rate: 200, serviceMs: 300, path: '/heavy' },
      { seconds: 10, rate: 500, serviceMs: 5, path: '/light' },
    ]);
    expect(results.map(({ shed }) => shed)).toEqual([0, 0, 0, 0]);
  });
});
