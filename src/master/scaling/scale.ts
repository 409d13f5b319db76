/**
 * Decides how many workers the load needs. Pure: one sample of load a second comes in, a number of workers goes out.
 *
 * Load is counted in busy workers. The pool is large enough if each worker is busy for at most three quarters of its time, and too
 * large if each would be busy for less than half of it. Between the two nothing changes, so a constant load ends all changes.
 */

/** What was seen in one second. */
export interface Load {
  /** How many workers' time was in use, from 0 to the number of those that are ready. */
  readonly busyWorkers: number;
  readonly readyWorkers: number;
  /** CPU time per second, of all workers. */
  readonly busyCpus: number;
  /** How long the requests that were begun had waited for a thread, on average. */
  readonly queueMs: number;
}

export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** CPUs that this process may use. */
  readonly cpus: number;
  /** How many more workers the memory that is free has room for. */
  readonly roomForMore: number;
}

const mostBusy = 0.75;
const leastBusy = 0.5;
/** Requests that wait this long call for another worker, however busy these are. */
const longQueueMs = 100;
/** How many times larger a saturated pool becomes: its load says that more workers are needed, but not how many. */
const growth = 2;
const saturated = 0.95;
/** If CPU time makes up this share of the workers' busy time, they compute: more workers than CPUs would only take turns. */
const computingShare = 0.5;

/** For how many seconds in a row the load must ask for more workers, or for fewer. */
export const secondsUp = 2;
export const secondsDown = 30;

/** What a load needs. Each number of workers from `least` to `most` is right. */
export interface Need {
  readonly least: number;
  readonly most: number;
}

export function needOf({ busyWorkers, readyWorkers, busyCpus, queueMs }: Load, bounds: Bounds): Need {
  const isSaturated = busyWorkers >= saturated * readyWorkers;
  const forBusy = Math.ceil((isSaturated ? growth * readyWorkers : busyWorkers / mostBusy) - 1e-9);
  const forQueue = queueMs >= longQueueMs ? readyWorkers + 1 : 0;
  const isComputing = busyCpus >= computingShare * busyWorkers;
  const ceiling = Math.max(bounds.least, isComputing ? Math.min(bounds.most, bounds.cpus) : bounds.most);
  const clamp = (count: number) => Math.min(ceiling, Math.max(bounds.least, count));
  const least = Math.max(forBusy, forQueue);
  return { least: clamp(least), most: clamp(Math.max(least, Math.ceil(busyWorkers / leastBusy))) };
}

/** The needs of the last seconds. */
export class Scale {
  private readonly needs: Need[] = [];

  /**
   * @param workers how many there should be now
   * @returns how many there should be from now on
   */
  decide(load: Load, workers: number, bounds: Bounds): number {
    const { needs } = this;
    needs.push(needOf(load, bounds));
    if (needs.length > secondsDown) needs.shift();
    const next = Math.max(bounds.least, this.grown(workers, bounds) ?? this.shrunk(workers) ?? workers);
    // The needs of a pool of another size say little about this one.
    if (next !== workers) this.forget();
    return next;
  }

  forget(): void {
    this.needs.length = 0;
  }

  private grown(workers: number, { roomForMore }: Bounds): number | undefined {
    const recent = this.needs.slice(-secondsUp);
    if (recent.length < secondsUp) return undefined;
    const needed = Math.min(...recent.map(({ least }) => least), workers + Math.max(0, roomForMore));
    return needed > workers ? needed : undefined;
  }

  private shrunk(workers: number): number | undefined {
    if (this.needs.length < secondsDown) return undefined;
    const needed = Math.max(...this.needs.map(({ most }) => most));
    return needed < workers ? needed : undefined;
  }
}
