/**
 * The file that holds the workers' counters, and the master's own of exits and reloads. It has no name, and is gone with the last
 * process that has it open. Two masters share two files: the workers of each count in one, and each master reads both. So counters
 * go on when a newer master takes over, and when it exits again.
 */

import { fstatSync } from 'node:fs';
import {
  at,
  type CountersPlace,
  clearGauges,
  durationBounds,
  observe,
  readRecord,
  recordLength,
  statuses,
  workerClasses,
  writeRecord,
} from '../../ipc/counters.ts';
import type { ExitReason } from '../../ipc/messages.ts';
import { openNamelessFile } from '../nameless-file.ts';
import type { Child } from '../pool.ts';
import { changeNumber } from './by-number.ts';

export const countersVariable = 'TSGUN_COUNTERS';

export const exitReasons = [
  'reload',
  'max_requests',
  'max_memory',
  'max_lifetime',
  'hung',
  'crashed',
  'killed',
  'boot_failed',
  'scaled_down',
  'canary',
  'shutdown',
] as const satisfies readonly ExitReason[];
export const reloadOutcomes = ['finished', 'failed'] as const;
export type ReloadOutcome = (typeof reloadOutcomes)[number];

/** The master's own record, which has the number 0. */
const own = { exits: 1, reloads: 1 + exitReasons.length } as const;

/** Handed to a newer master with the files: another version of tsgun, which adds something, cannot read these records. */
export const recordForm = [recordLength, exitReasons.length, reloadOutcomes.length].join('.');

/** Requests of a worker that are over, and that it cannot count itself: answered with a 503 in its place. */
export interface Unavailable {
  readonly workerClass: (typeof workerClasses)[number];
  readonly durationsMs: readonly number[];
}

type Seated = Pick<Child, 'seat' | 'worker'>;

export class CountersFile {
  private fd: number | undefined = undefined;
  /** The master's own record, until there is a file. */
  private readonly early = new Float64Array(recordLength);
  /** Of the master beside this one, or of the one before it. */
  private otherFd: number | undefined = undefined;

  /** @param inherited the value of the variable, from an older master */
  constructor(inherited: string | undefined) {
    const [first, other, form] = (inherited ?? '').split(',');
    const fds = [Number(first), Number(other)];
    if (form !== recordForm || !fds.every(isFile)) return;
    [this.fd, this.otherFd] = fds;
    // A master that was killed has left its workers' numbers to them.
    for (const [number, record] of readAll(this.fd).entries())
      if (record[at.holder] !== 0) this.changeNumber(record[at.holder]!, number, undefined);
  }

  /**
   * Called when a worker is about to be spawned. Opens the file at the first call.
   * @returns undefined if no file can be made: then this worker counts nothing
   */
  placeOf({ seat, worker }: Seated): CountersPlace | undefined {
    this.open();
    this.changeNumber(seat, undefined, worker);
    return this.fd === undefined ? undefined : { fd: this.fd, index: seat };
  }

  noteRenumbered({ seat, worker }: Seated, to: number): void {
    this.changeNumber(seat, worker, to);
  }

  /** A worker has gone. */
  noteExit({ seat, worker }: Seated, reason: ExitReason, unavailable?: Unavailable): void {
    this.add(own.exits + exitReasons.indexOf(reason as never));
    if (this.fd === undefined) return;
    const place = { fd: this.fd, index: seat };
    if (unavailable !== undefined && unavailable.durationsMs.length > 0) attempt(() => count(place, unavailable));
    attempt(() => clearGauges(place));
    this.changeNumber(seat, worker, undefined);
  }

  noteReload(outcome: ReloadOutcome): void {
    this.add(own.reloads + reloadOutcomes.indexOf(outcome));
  }

  /**
   * What a newer master inherits: descriptors, and the variable that names them.
   * @param firstFd the first of the two there
   */
  handOver(firstFd: number): { readonly stdio: readonly number[]; readonly env: Readonly<Record<string, string>> } {
    // Where nothing is counted, the newer master may still be told to.
    this.open();
    this.otherFd ??= openNamelessFile();
    if (this.fd === undefined || this.otherFd === undefined) return { stdio: [], env: {} };
    return { stdio: [this.otherFd, this.fd], env: { [countersVariable]: `${firstFd},${firstFd + 1},${recordForm}` } };
  }

  /** All records of this master, and of the other one. The first of each is the master's own. */
  read(): { readonly own: readonly Float64Array[]; readonly other: readonly Float64Array[] } {
    return { own: this.fd === undefined ? [this.early] : readAll(this.fd), other: readAll(this.otherFd) };
  }

  private open(): void {
    if (this.fd !== undefined) return;
    this.fd = openNamelessFile();
    if (this.fd !== undefined) attempt(() => writeRecord({ fd: this.fd!, index: 0 }, this.early));
  }

  private changeNumber(seat: number, from: number | undefined, to: number | undefined): void {
    const { fd } = this;
    if (fd !== undefined) attempt(() => changeNumber(fd, seat, from, to));
  }

  private add(index: number): void {
    if (this.fd === undefined) {
      this.early[index]!++;
      return;
    }
    const place = { fd: this.fd, index: 0 };
    attempt(() => {
      const record = readRecord(place);
      record[index]!++;
      writeRecord(place, record);
    });
  }
}

export function exitsIn(record: Float64Array, reason: (typeof exitReasons)[number]): number {
  return record[own.exits + exitReasons.indexOf(reason)]!;
}

export function reloadsIn(record: Float64Array, outcome: ReloadOutcome): number {
  return record[own.reloads + reloadOutcomes.indexOf(outcome)]!;
}

function readAll(fd: number | undefined): Float64Array[] {
  if (fd === undefined) return [];
  const count = Math.ceil(fstatSync(fd).size / 8 / recordLength);
  return Array.from({ length: count }, (_, index) => readRecord({ fd, index }));
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Only once the worker is gone, which would write over it. */
function count(place: CountersPlace, { workerClass, durationsMs }: Unavailable): void {
  const record = readRecord(place);
  record[at.requests + workerClasses.indexOf(workerClass) * statuses.length + statuses.indexOf('5xx')]! +=
    durationsMs.length;
  for (const ms of durationsMs) observe(record, at.duration, durationBounds, ms / 1000);
  writeRecord(place, record);
}

/** If the memory is full, a count is lost, and nothing else. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {}
}
