/** The trial of a new generation: a few of its workers serve beside the old ones, and are judged by what both do in that time. */

import { milliseconds } from '../../config/durations.ts';
import { at, fineBounds, statuses, workerClasses } from '../../ipc/counters.ts';
import type { CountersFile } from '../metrics/counters-file.ts';
import { type Child, type Ending, type Pool, readyOf } from '../pool.ts';
import { type Figures, judge, percentile95, type Verdict } from './verdict.ts';

const pollMs = 500;
/** A trial with too little traffic for a verdict goes on for at most this many times the time that was asked for. */
const longestFactor = 5;
/** The first requests of a new worker are slow while its code is compiled: for this share of the trial, durations do not count. */
const warmUpShare = 0.3;
/** Nor do they for longer than this. */
const longestWarmUpMs = 5000;
/** Before there have been so many looks at durations, a warm-up that goes on would pass for a slow release. */
const fewestLooks = 4;

/** How a trial ended. */
export interface Judgement extends Verdict {
  readonly generation: number;
  readonly seconds: number;
  /** Of the generation on trial, and of the old one. */
  readonly fresh: Summary;
  readonly old: Summary;
}

export interface Summary {
  readonly requests: number;
  readonly errors: number;
  readonly crashes: number;
  readonly p95Ms: number | undefined;
}

export interface TrialParts {
  readonly pool: Pool;
  readonly counters: Pick<CountersFile, 'read'>;
  readonly seconds: number;
  /** Called when its first worker is ready. */
  readonly onStart: () => void;
  /** Called once. */
  readonly tell: (judgement: Judgement) => void;
}

type Tally = { -readonly [K in keyof Figures]: Figures[K] extends number ? number : number[] };

/** What a worker had counted at the last poll. */
interface Seen {
  readonly pid: number | undefined;
  readonly record: Float64Array;
}

export class Trial {
  readonly generation: number;
  private readonly parts: TrialParts;
  private readonly timer: NodeJS.Timeout;
  /** When the first worker of the new generation was ready. */
  private startedAt: number | undefined = undefined;
  private readonly fresh = newTally();
  /** How many requests of the new generation took how long, for each look. */
  private readonly looks: number[][] = [];
  private readonly old = newTally();
  /** By seat. */
  private readonly seen = new Map<number, Seen>();

  constructor(parts: TrialParts) {
    this.parts = parts;
    this.generation = parts.pool.generation;
    this.timer = setInterval(() => this.poll(performance.now()), pollMs).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A worker has crashed, was found hung, or was killed for lack of memory. */
  noteCrash({ generation }: Ending): void {
    // It may crash before the first poll.
    if (generation === this.generation) this.begin(performance.now());
    const tally = this.tallyOf(generation);
    if (tally !== undefined && this.startedAt !== undefined) tally.crashes++;
  }

  private poll(now: number): void {
    const { pool, counters, seconds } = this.parts;
    const ready = readyOf(pool);
    const isOnTrial = ({ generation }: Child) => generation === this.generation;
    if (ready.some(isOnTrial)) this.begin(now);
    if (this.startedAt === undefined) return;
    const passedMs = now - this.startedAt;
    const isWarm = passedMs >= Math.min(longestWarmUpMs, warmUpShare * milliseconds(seconds));
    const { own } = counters.read();
    if (isWarm) this.looks.push(noDurations());
    for (const child of ready) this.count(child, own[child.seat], isWarm);
    const isDue = passedMs >= milliseconds(seconds);
    const isLast = passedMs >= milliseconds(seconds * longestFactor);
    const isTelling = isDue || this.looks.length >= fewestLooks;
    const newest = isTelling ? sumOfEach(this.looks.slice(-Math.ceil(this.looks.length / 2))) : [];
    const verdict = judge({ ...this.fresh, newest }, this.old, isDue);
    // With too little traffic for a verdict the trial goes on, up to its longest time.
    const isOver = verdict.outcome === 'worse' || (isDue && verdict.outcome === 'no_worse') || isLast;
    if (!isOver) return;
    this.close();
    const { generation, fresh, old } = this;
    const [freshSummary, oldSummary] = [fresh, old].map(summarize) as [Summary, Summary];
    this.parts.tell({
      ...verdict,
      generation,
      seconds: Math.round(passedMs / 1000),
      fresh: freshSummary,
      old: oldSummary,
    });
  }

  private begin(now: number): void {
    if (this.startedAt !== undefined) return;
    this.startedAt = now;
    this.parts.onStart();
  }

  /** Adds what a worker has counted since the last poll. */
  private count({ seat, pid, generation }: Child, record: Float64Array | undefined, isWarm: boolean): void {
    if (record === undefined) return;
    const before = this.seen.get(seat);
    this.seen.set(seat, { pid, record });
    if (before === undefined || before.pid !== pid) return;
    const grown = (index: number) => record[index]! - before.record[index]!;
    const tally = this.tallyOf(generation);
    if (tally === undefined) return;
    for (let index = 0; index < workerClasses.length * statuses.length; index++) {
      const status = statuses[index % statuses.length];
      // A request without an answer may be the client's fault: it does not count.
      if (status !== 'none') tally.requests += grown(at.requests + index);
      if (status === '5xx') tally.errors += grown(at.requests + index);
    }
    if (!isWarm) return;
    const counts = noDurations().map((_, index) => grown(at.fine + index));
    addTo(tally.durations, counts);
    if (tally === this.fresh) addTo(this.looks.at(-1)!, counts);
  }

  /** Undefined for a generation whose own trial was given up. */
  private tallyOf(generation: number): Tally | undefined {
    if (generation === this.generation) return this.fresh;
    return generation === this.parts.pool.reloadFrom ? this.old : undefined;
  }
}

function newTally(): Tally {
  return { requests: 0, errors: 0, crashes: 0, durations: noDurations() };
}

function noDurations(): number[] {
  return Array<number>(fineBounds.length + 1).fill(0);
}

function addTo(sum: number[], counts: readonly number[]): void {
  for (const [index, count] of counts.entries()) sum[index]! += count;
}

function sumOfEach(histograms: readonly (readonly number[])[]): number[] {
  const sum = noDurations();
  for (const each of histograms) addTo(sum, each);
  return sum;
}

function summarize({ requests, errors, crashes, durations }: Figures): Summary {
  return { requests, errors, crashes, p95Ms: percentile95(durations) };
}
