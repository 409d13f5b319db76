/** Counters under the numbers of workers, which change hands, as Prometheus sees them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, countedByNumber, readRecord, writeRecord } from '../../../src/ipc/counters.ts';
import { countedUnder, recordUnder } from '../../../src/master/metrics/by-number.ts';
import { CountersFile, recordForm } from '../../../src/master/metrics/counters-file.ts';

interface Seated {
  readonly seat: number;
  worker: number;
}

/** The worker in that seat counts; as its process does, in the file. */
function count(file: CountersFile, { seat }: Seated, seconds: number): void {
  const place = { fd: (file as unknown as { fd: number }).fd, index: seat };
  const record = readRecord(place);
  for (const index of countedByNumber) record[index]! += seconds;
  record[at.utilization] = seconds;
  writeRecord(place, record);
}

const cpu = (file: CountersFile, number: number) => countedUnder(file.read().own, number, at.cpuSeconds);
const cpus = (file: CountersFile) => [1, 2, 3].map((number) => cpu(file, number));

describe('what is counted under a number', () => {
  it('is what each worker has counted while it had that number, and stays when it has gone', () => {
    const file = new CountersFile(undefined);
    const [old, fresh] = [
      { seat: 1, worker: 1 },
      { seat: 2, worker: 3 },
    ];
    file.placeOf(old);
    count(file, old, 5);
    file.placeOf(fresh);
    count(file, fresh, 2);
    expect(cpus(file)).toEqual([5, 0, 2]);
    expect(recordUnder(file.read().own, 3)[at.utilization]).toBe(2);
    file.noteExit(old, 'reload');
    file.noteRenumbered(fresh, 1);
    fresh.worker = 1;
    expect(cpus(file)).toEqual([5, 0, 2]);
    expect(recordUnder(file.read().own, 1)[at.utilization]).toBe(2);
    expect(recordUnder(file.read().own, 3)[at.utilization]).toBe(0);
    count(file, fresh, 1);
    expect(cpus(file)).toEqual([6, 0, 2]);
    // The next one sits where the first one sat, whose counters go on.
    const next = { seat: 1, worker: 3 };
    file.placeOf(next);
    count(file, next, 4);
    expect(cpus(file)).toEqual([6, 0, 6]);
  });

  it('is nothing for a worker that counts nothing, though its seat and its number have been counted for', () => {
    const file = new CountersFile(undefined);
    const first = { seat: 1, worker: 1 };
    file.placeOf(first);
    count(file, first, 5);
    file.noteExit(first, 'reload');
    const silent = { seat: 1, worker: 3 };
    file.noteRenumbered(silent, 1);
    expect(cpus(file)).toEqual([5, 0, 0]);
    expect(recordUnder(file.read().own, 1)[at.utilization]).toBe(0);
    file.noteExit({ seat: 1, worker: 1 }, 'reload');
    expect(cpus(file)).toEqual([5, 0, 0]);
  });

  it('goes on in a newer master, also if the workers of a master in the same file were left behind', () => {
    const first = new CountersFile(undefined);
    const [one, other] = [
      { seat: 1, worker: 1 },
      { seat: 1, worker: 1 },
    ];
    first.placeOf(one);
    count(first, one, 5);
    const second = new CountersFile(`${first.handOver(5).stdio},${recordForm}`);
    second.placeOf(other);
    count(second, other, 2);
    const { own, other: earlier } = second.read();
    expect(countedUnder(own, 1, at.cpuSeconds) + countedUnder(earlier, 1, at.cpuSeconds)).toBe(7);
    // The first master has been killed. The third one goes on in its file.
    const third = new CountersFile(`${second.handOver(5).stdio},${recordForm}`);
    expect(cpu(third, 1)).toBe(5);
    const next = { seat: 1, worker: 2 };
    third.placeOf(next);
    count(third, next, 1);
    expect(cpus(third)).toEqual([5, 1, 0]);
  });

  it('never falls, not by the last digit, and all numbers together have what all seats have', () => {
    const step = fc.record({
      what: fc.constantFrom('spawn' as const, 'count' as const, 'count' as const, 'renumber' as const, 'exit' as const),
      pick: fc.nat(7),
      seconds: fc.double({ min: 0, max: 1e5, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const file = new CountersFile(undefined);
        const workers: Seated[] = [];
        const free = (taken: (worker: Seated) => number, pick: number) =>
          [1, 2, 3, 4, 5].filter((number) => !workers.some((worker) => taken(worker) === number))[pick % 5];
        let before = [0, 0, 0, 0, 0];
        for (const { what, pick, seconds } of steps) {
          const worker = workers[pick % Math.max(1, workers.length)];
          const seat = free((each) => each.seat, 0);
          const number = free((each) => each.worker, pick);
          if (what === 'spawn' && seat !== undefined && number !== undefined) {
            workers.push({ seat, worker: number });
            file.placeOf(workers.at(-1)!);
          } else if (what === 'count' && worker !== undefined) count(file, worker, seconds);
          else if (what === 'renumber' && worker !== undefined && number !== undefined) {
            file.noteRenumbered(worker, number);
            worker.worker = number;
          } else if (what === 'exit' && worker !== undefined) {
            workers.splice(workers.indexOf(worker), 1);
            file.noteExit(worker, 'crashed');
          }
          const { own } = file.read();
          const now = [1, 2, 3, 4, 5].map((of) => countedUnder(own, of, at.cpuSeconds));
          for (const [index, value] of now.entries()) expect(value).toBeGreaterThanOrEqual(before[index]!);
          const seats = own.slice(1).reduce((sum, record) => sum + record[at.cpuSeconds]!, 0);
          expect(now.reduce((sum, value) => sum + value, 0)).toBeCloseTo(seats, 3);
          before = now;
        }
      }),
      { numRuns: 60 },
    );
  });
});
