/** What of the counters a live screen shows. Pure. */

import { at, delayQuantiles, durationBounds } from '../../ipc/counters.ts';
import { recordUnder } from './by-number.ts';
import { exitReasons, exitsIn } from './counters-file.ts';

export interface CountersSummary {
  /** Of workers, from the beginning. */
  readonly exits: number;
  /** In seconds: the upper bounds of the buckets of `durations`, which has one more for what is above. */
  readonly bounds: readonly number[];
  /** How many requests each bucket has, from the beginning; undefined where requests are not counted. */
  readonly durations: readonly number[] | undefined;
  /** By number. Empty where nothing is counted. */
  readonly workers: readonly WorkerGauges[];
}

export interface WorkerGauges {
  readonly worker: number;
  /** Of the event loop, from 0 to 1. */
  readonly utilization: number;
  /** The delay of the event loop that 99 of 100 turns do not reach. */
  readonly delaySeconds: number;
}

/** @param all the master's own first, then one for each seat of a worker */
export function summarize(all: readonly Float64Array[]): CountersSummary {
  const [own, ...records] = all;
  const counted = records.filter((record) => record[0]! > 0);
  const sum = (index: number) => counted.reduce((total, record) => total + record[index]!, 0);
  return {
    exits: own === undefined ? 0 : exitReasons.reduce((total, reason) => total + exitsIn(own, reason), 0),
    bounds: durationBounds,
    durations:
      counted.length === 0
        ? undefined
        : Array.from({ length: durationBounds.length + 1 }, (_, index) => sum(at.duration + index)),
    workers: records.flatMap((_, index) => {
      const worker = index + 1;
      const record = recordUnder(all, worker);
      if (record[0] === 0) return [];
      const delaySeconds = record[at.delay + delayQuantiles.indexOf(0.99)]!;
      return [{ worker, utilization: record[at.utilization]!, delaySeconds }];
    }),
  };
}
