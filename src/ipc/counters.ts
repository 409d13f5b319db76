/**
 * What workers count, for the metrics: a file in memory with one record for each seat of a worker, which the master reads
 * without asking anybody. A new worker goes on from what its seat has counted, so counters never go backwards.
 */

import { readSync, writeSync } from 'node:fs';

/** A worker's record in the file. */
export interface CountersPlace {
  readonly fd: number;
  /** The worker's seat, from 1; the master's own record is before them. */
  readonly index: number;
}

/** In order of the record. */
export const workerClasses = ['sync', 'threaded', 'async'] as const;
/** By the first digit of the status; `none`: no answer was begun. */
export const statuses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** In seconds: those of OpenTelemetry's `http.server.request.duration`. */
export const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
/** In seconds. */
export const queueBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** In seconds, from a tenth of a millisecond to 100 s, each a tenth more than the one before: fine enough to compare two releases. */
export const fineBounds: readonly number[] = Array.from({ length: 146 }, (_, index) => 1e-4 * 1.1 ** index);
export const delayQuantiles = [0.5, 0.9, 0.99] as const;

/** How many counters are shown by the number of a worker, and not for all workers together. */
const byNumber = 3;

/** Where each value is in a record. Each is a number of 64 bits. */
let next = 1;
const take = (count: number) => {
  const start = next;
  next += count;
  return start;
};

export const at = {
  /** One for each status of each class. */
  requests: take(workerClasses.length * statuses.length),
  /** One for each bound, one for what is above, and the sum in seconds. */
  duration: take(durationBounds.length + 2),
  queue: take(queueBounds.length + 2),
  shed: take(1),
  timeouts: take(1),
  connections: take(1),
  receivedBytes: take(1),
  sentBytes: take(1),
  cpuSeconds: take(1),
  delaySum: take(1),
  delayCount: take(1),
  /** From here on, what holds now, and not from the beginning. */
  gauges: next,
  inFlight: take(1),
  openConnections: take(1),
  upgradedConnections: take(1),
  heapUsedBytes: take(1),
  utilization: take(1),
  delay: take(delayQuantiles.length),
  /** A number here and at the beginning shows that everything between was written at once. */
  sequence: take(1),
  /** Durations again, if releases are compared. Without this, two thirds of a record need not be written. */
  fine: take(fineBounds.length + 1),
  /** The same number, behind the fine histogram; 0 in a record that never had one. */
  fineSequence: take(1),
  /**
   * From here on the master alone writes, about the number that is the record's index, whoever has it. First the seat of the
   * worker that has it now; 0 for none.
   */
  holder: take(1),
  /** What was counted under the number by those that had it before, and what that seat had counted when it got the number. */
  past: take(byNumber),
  mark: take(byNumber),
} as const;

/** In the order of `past` and `mark`. */
export const countedByNumber: readonly number[] = [at.cpuSeconds, at.delaySum, at.delayCount];

export const recordLength = next;
const recordBytes = recordLength * 8;

/** Empty where nothing was written yet. */
export function readRecord({ fd, index }: CountersPlace): Float64Array {
  const record = new Float64Array(recordLength);
  // A writer takes a few microseconds. If one died in the middle, the record stays as it is.
  for (let tries = 0; tries < 3; tries++) {
    readSync(fd, record, 0, recordBytes, index * recordBytes);
    const isFineWhole = record[at.fineSequence] === 0 || record[at.fineSequence] === record[0];
    if (record[0] === record[at.sequence] && isFineWhole) break;
  }
  return record;
}

/** @throws the system's error, if the memory is full */
export function writeRecord({ fd, index }: CountersPlace, record: Float64Array): void {
  record[0] = (record[0]! % 2 ** 32) + 1;
  record[at.sequence] = record[0]!;
  const isFine = hasFine(record);
  if (isFine) record[at.fineSequence] = record[0]!;
  writeSync(fd, record, 0, (isFine ? at.holder : at.fine) * 8, index * recordBytes);
}

/** Writes the part about a number. @throws as `writeRecord` does */
export function writeHolder({ fd, index }: CountersPlace, record: Float64Array): void {
  const part = record.subarray(at.holder);
  writeSync(fd, part, 0, part.byteLength, index * recordBytes + at.holder * 8);
}

/** Whether the fine histogram is counted, or was by an earlier worker in the same seat. */
export function hasFine(record: Float64Array): boolean {
  return record[at.fineSequence] !== 0;
}

/** Its process is gone: sets its gauges to 0. */
export function clearGauges(place: CountersPlace): void {
  const record = readRecord(place);
  record.fill(0, at.gauges, at.sequence);
  writeRecord(place, record);
}

/** Adds a value to the fine histogram, in a time that does not depend on it. */
export function observeFinely(record: Float64Array, seconds: number): void {
  const bucket = Math.ceil(Math.log(seconds / 1e-4) / Math.log(1.1) - 1e-9);
  record[at.fine + Math.max(0, Math.min(fineBounds.length, bucket))]!++;
}

/** Adds a value to a histogram: the bucket, and the sum. */
export function observe(record: Float64Array, start: number, bounds: readonly number[], value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
  record[start + bucket]!++;
  record[start + bounds.length + 1]! += value;
}
