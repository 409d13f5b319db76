import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bounds, type Load, needOf, Scale, secondsDown } from '../../../src/master/scaling/scale.ts';

const wide: Bounds = { least: 2, most: 16, cpus: 64, roomForMore: 100 };
/** Of workers that mostly wait. */
const load = (busyWorkers: number, readyWorkers: number, more: Partial<Load> = {}): Load => ({
  busyWorkers,
  readyWorkers,
  busyCpus: busyWorkers / 10,
  queueMs: 0,
  ...more,
});

describe('how many workers a load needs', () => {
  it.each<[string, Load, Partial<Bounds>, { least: number; most: number }]>([
    ['none runs', load(0, 4), {}, { least: 2, most: 2 }],
    ['a third is busy', load(1.2, 4), {}, { least: 2, most: 3 }],
    ['just enough', load(3, 4), {}, { least: 4, most: 6 }],
    ['a little more than three quarters', load(3.1, 4), {}, { least: 5, most: 7 }],
    ['all are busy', load(4, 4), {}, { least: 8, most: 8 }],
    ['one is, and it is all there is', load(1, 1), { least: 1 }, { least: 2, most: 2 }],
    ['requests wait for a thread', load(1, 4, { queueMs: 100 }), {}, { least: 5, most: 5 }],
    ['they wait for less than is worth a worker', load(1, 4, { queueMs: 99 }), {}, { least: 2, most: 2 }],
    ['more than the most', load(16, 16), {}, { least: 16, most: 16 }],
    ['they compute: no more than CPUs', load(4, 4, { busyCpus: 2 }), { cpus: 4 }, { least: 4, most: 4 }],
    ['they mostly wait: more than CPUs', load(4, 4, { busyCpus: 1.9 }), { cpus: 4 }, { least: 8, most: 8 }],
    ['fewer CPUs than were asked for', load(4, 4, { busyCpus: 4 }), { cpus: 1, least: 4 }, { least: 4, most: 4 }],
  ])('%s', (_, seen, bounds, need) => {
    expect(needOf(seen, { ...wide, ...bounds })).toEqual(need);
  });
});

describe('changes of the number of workers', () => {
  const feed = (scale: Scale, loads: Load[], workers: number, bounds = wide) =>
    loads.map((each) => scale.decide(each, workers, bounds));

  it('a peak of one second changes nothing', () => {
    const results = feed(new Scale(), [load(1, 4), load(4, 4), load(1, 4), load(4, 4), load(1, 4)], 4);
    expect(new Set(results)).toEqual(new Set([4]));
  });

  it('a load that stays is answered within two seconds, by what it needed all of that time', () => {
    expect(feed(new Scale(), [load(4, 4), load(3.1, 4)], 4)).toEqual([4, 5]);
  });

  it('a pool shrinks after half a minute, to the most that was right in it', () => {
    const quiet = Array.from({ length: secondsDown }, (_, second) => load(second === 7 ? 2.4 : 0.5, 8));
    const results = feed(new Scale(), quiet, 8);
    expect(results.slice(0, -1).every((count) => count === 8)).toBe(true);
    expect(results.at(-1)).toBe(5);
  });

  it('memory bounds what is added, and takes nothing away', () => {
    expect(feed(new Scale(), [load(4, 4), load(4, 4)], 4, { ...wide, roomForMore: 1 })).toEqual([4, 5]);
    expect(feed(new Scale(), [load(4, 4), load(4, 4)], 4, { ...wide, roomForMore: -3 })).toEqual([4, 4]);
  });

  it('a lower bound that was raised holds at once', () => {
    expect(new Scale().decide(load(0, 2), 2, { ...wide, least: 6 })).toBe(6);
  });
});

/** Workers that come and go at once, and share a load that would fill so many of them. */
class Service {
  workers: number;
  readonly changes: number[] = [];
  private readonly scale = new Scale();
  private readonly bounds: Bounds;

  constructor(bounds: Bounds) {
    this.bounds = bounds;
    this.workers = bounds.least;
  }

  second(demand: number, cpuShare: number, noise = 0): void {
    const busyWorkers = Math.max(0, Math.min(this.workers, demand * (1 + noise)));
    const seen = { busyWorkers, readyWorkers: this.workers, busyCpus: busyWorkers * cpuShare, queueMs: 0 };
    const next = this.scale.decide(seen, this.workers, this.bounds);
    // Cheaper than `expect` in a hundred thousand steps.
    if (next < this.bounds.least || next > Math.max(this.bounds.least, this.bounds.most))
      throw new Error(`${next} workers are out of bounds`);
    if (next !== this.workers) this.changes.push(next);
    this.workers = next;
  }
}

describe('a pool under load', () => {
  const bounds = fc.record({
    least: fc.integer({ min: 1, max: 6 }),
    most: fc.integer({ min: 6, max: 40 }),
    cpus: fc.integer({ min: 1, max: 16 }),
    roomForMore: fc.integer({ min: 0, max: 8 }),
  });

  it('converges at a constant load, and then does not change any more', () => {
    let seconds = 0;
    const phases = fc.array(
      fc.tuple(fc.double({ min: 0, max: 45, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(bounds, phases, (limits, loads) => {
        const service = new Service(limits);
        for (const [demand, cpuShare] of loads) {
          for (let second = 0; second < 150; second++) service.second(demand, cpuShare);
          const before = service.changes.length;
          for (let second = 0; second < 2 * secondsDown; second++) service.second(demand, cpuShare);
          expect(service.changes.slice(before)).toEqual([]);
          seconds += 210;
        }
      }),
      { numRuns: 250 },
    );
    expect(seconds).toBeGreaterThan(100_000);
  });

  it('does not swing with noise of a tenth', () => {
    const demands = fc.double({ min: 0.5, max: 15, noNaN: true });
    fc.assert(
      fc.property(
        demands,
        fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 300, maxLength: 300 }),
        (demand, noise) => {
          const service = new Service({ least: 1, most: 40, cpus: 64, roomForMore: 99 });
          for (const each of noise) service.second(demand, 0.1, each);
          // Up in steps, and down again from the last of them; never up after that.
          const { changes } = service;
          const firstDown = changes.findIndex((count, index) => index > 0 && count < changes[index - 1]!);
          const ups = changes.filter((count, index) => index > 0 && count > changes[index - 1]! && index > firstDown);
          expect(firstDown < 0 ? [] : ups).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([2, 5, 11, 16])(
    'follows a step to %i busy workers within ten seconds, and back within a minute',
    (demand) => {
      const service = new Service({ least: 1, most: 24, cpus: 64, roomForMore: 99 });
      for (let second = 0; second < 60; second++) service.second(0.2, 0.1);
      let up = 0;
      while (service.workers * 0.95 < demand) {
        service.second(demand, 0.1);
        up++;
      }
      expect(up).toBeLessThanOrEqual(10);
      for (let second = 0; second < 60; second++) service.second(0.2, 0.1);
      expect(service.workers).toBe(1);
    },
  );
});
