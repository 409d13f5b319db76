/** After a roll-out (`--watch-after`): whether the new generation does worse than the one before it did. Figures in, faults out. */

import { at, statuses, workerClasses } from '../../ipc/counters.ts';
import type { CountersFile } from '../metrics/counters-file.ts';
import type { Ending } from '../pool.ts';
import { type Fault, type Figures, hasErrors } from './verdict.ts';

const pollMs = 500;
/** The generation before is judged by what it did in this time before the reload. */
const memoryMs = 5 * 60_000;
/** One crash or two may be chance. */
const leastCrashes = 3;
/** How many times as often workers must crash. */
const leastCrashFactor = 3;
/** The odds of a false alarm at one look: there are many looks. */
const odds = 1e-7;

/** What a generation has done in some time. */
export interface Stretch extends Pick<Figures, 'requests' | 'errors' | 'crashes'> {
  readonly seconds: number;
}

/** Pure. Latency is not compared, because the load of the two times differs. */
export function faultsOf(fresh: Stretch, before: Stretch): Fault[] {
  const faults: Fault[] = [];
  const [seconds, secondsBefore] = [Math.max(1, fresh.seconds), Math.max(1, before.seconds)];
  const isMoreOften = fresh.crashes * secondsBefore >= leastCrashFactor * before.crashes * seconds;
  if (fresh.crashes >= leastCrashes && isMoreOften) faults.push('crashes');
  if (hasErrors(fresh, before, odds)) faults.push('errors');
  return faults;
}

/** A generation that went bad after its roll-out, and the one before. */
export interface Aftermath {
  readonly generation: number;
  readonly faults: readonly Fault[];
  readonly fresh: Stretch;
  readonly old: Stretch;
}

export interface WatchParts {
  readonly counters: Pick<CountersFile, 'read'>;
  /** How long a generation is watched; 0 for not at all. */
  readonly seconds: () => number;
  /** Called once for a generation. */
  readonly tell: (aftermath: Aftermath) => void;
}

/** What has been counted up to a moment. */
interface Mark extends Pick<Figures, 'requests' | 'errors' | 'crashes'> {
  readonly at: number;
}

export class Watch {
  private readonly parts: WatchParts;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** Of the generation that serves, the oldest first. */
  private marks: Mark[] = [];
  private crashes = 0;
  private watched: { readonly generation: number; readonly since: Mark; readonly old: Stretch } | undefined = undefined;

  constructor(parts: WatchParts) {
    this.parts = parts;
  }

  /** Called at every turn of the loop. */
  follow(isServing: boolean): void {
    if (!isServing || this.parts.seconds() === 0) return this.close();
    if (this.timer !== undefined) return;
    // What is answered ahead of the first poll counts: without it, a reload soon after the start had nothing to compare with.
    this.marks = [this.mark()];
    this.timer = setInterval(() => this.poll(), pollMs).unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.marks = [];
    this.watched = undefined;
  }

  /** What the generation that serves has done in the last minutes: taken when a reload begins. */
  get recent(): Stretch {
    const last = this.mark();
    return between(this.marks[0] ?? last, last);
  }

  /** A reload begins: whatever was watched is on its way out. */
  end(): void {
    this.watched = undefined;
  }

  /** A roll-out is complete. @param old what the generation before had done; undefined where it is not to be watched */
  begin(generation: number, old: Stretch | undefined): void {
    const since = this.mark();
    this.marks = [since];
    this.watched = old && { generation, since, old };
  }

  /** A worker has crashed, was found hung, or was killed for lack of memory. */
  noteCrash({ generation }: Ending): void {
    if (this.watched === undefined || generation === this.watched.generation) this.crashes++;
  }

  private poll(): void {
    const now = this.mark();
    this.marks.push(now);
    while (this.marks[0]!.at < now.at - memoryMs) this.marks.shift();
    if (this.watched === undefined) return;
    const { generation, since, old } = this.watched;
    const fresh = between(since, now);
    const faults = faultsOf(fresh, old);
    if (faults.length > 0 || fresh.seconds >= this.parts.seconds()) this.watched = undefined;
    if (faults.length > 0) this.parts.tell({ generation, faults, fresh, old });
  }

  private mark(): Mark {
    const { own } = this.parts.counters.read();
    let requests = 0;
    let errors = 0;
    // The first record is the master's.
    for (const record of own.slice(1))
      for (let index = 0; index < workerClasses.length * statuses.length; index++) {
        const status = statuses[index % statuses.length];
        if (status !== 'none') requests += record[at.requests + index]!;
        if (status === '5xx') errors += record[at.requests + index]!;
      }
    return { at: performance.now(), requests, errors, crashes: this.crashes };
  }
}

function between(from: Mark, to: Mark): Stretch {
  return {
    requests: to.requests - from.requests,
    errors: to.errors - from.errors,
    crashes: to.crashes - from.crashes,
    seconds: Math.round((to.at - from.at) / 1000),
  };
}
