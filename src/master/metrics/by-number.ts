/**
 * Counters by the number of a worker, whoever has had it. A worker counts in its seat, whose counters only grow. A number has the
 * growth of each seat during the time in which it had the number. So what Prometheus sees under a number never goes backwards,
 * and nothing is counted under two: a counter that fell by the last digit would look like one that began anew, and a rate would
 * have all of it once more. Therefore what is over is added up as it was last shown, and never taken apart again.
 */

import { at, countedByNumber, readRecord, recordLength, writeHolder } from '../../ipc/counters.ts';

/** The record of a seat in which no worker has counted. */
export const nothing = new Float64Array(recordLength);

/** What the worker that has a number counts. @param records by index */
export function recordUnder(records: readonly Float64Array[], number: number): Float64Array {
  const holder = records[number]?.[at.holder] ?? 0;
  return holder === 0 ? nothing : (records[holder] ?? nothing);
}

/** @param index of one of `countedByNumber` */
export function countedUnder(records: readonly Float64Array[], number: number, index: number): number {
  return counted(records[number] ?? nothing, recordUnder(records, number), countedByNumber.indexOf(index));
}

function counted(of: Float64Array, holder: Float64Array, place: number): number {
  const past = of[at.past + place]!;
  // The growth first: with a growth of 0, the sum is exactly what it was.
  return of[at.holder] === 0 ? past : past + (holder[countedByNumber[place]!]! - of[at.mark + place]!);
}

/**
 * A seat gets a number, leaves one, or changes it.
 * @param from undefined if it had none
 * @param to undefined if it has none from now on
 * @throws the system's error, if the memory is full
 */
export function changeNumber(fd: number, seat: number, from: number | undefined, to: number | undefined): void {
  // Read once: what is counted meanwhile belongs to the new number.
  const holder = readRecord({ fd, index: seat });
  if (from !== undefined && !leave(fd, from, seat, holder)) return;
  if (to === undefined) return;
  const record = readRecord({ fd, index: to });
  record[at.holder] = seat;
  for (const [place, index] of countedByNumber.entries()) record[at.mark + place] = holder[index]!;
  writeHolder({ fd, index: to }, record);
}

/** @returns whether the seat had the number: that of a worker which counts nothing has none */
function leave(fd: number, number: number, seat: number, holder: Float64Array): boolean {
  const record = readRecord({ fd, index: number });
  if (record[at.holder] !== seat) return false;
  for (const place of countedByNumber.keys()) record[at.past + place] = counted(record, holder, place);
  record[at.holder] = 0;
  writeHolder({ fd, index: number }, record);
  return true;
}
