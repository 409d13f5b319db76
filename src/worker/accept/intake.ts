/**
 * Decides how many connections a worker takes: at most `--worker-connections`, where an idle one makes room for a new one; not
 * many more than the least loaded other worker; and none while its event loop lags. The rest stays in the accept queue for the
 * others. No connection passes from worker to worker, so none is lost on the way.
 */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { ConnectionServer } from '../../http/accept.ts';
import { WaitOrder } from '../../http/host.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { type Entry, Scoreboard, type Slot, sharedClock } from '../../ipc/scoreboard.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import { every } from '../../ipc/ticks.ts';
import type { Gate } from './gate.ts';
import { Occupancy } from './occupancy.ts';
import { openGate } from './open-gate.ts';

/**
 * A fifth more than the least loaded worker. The added one is for small numbers: with a connection per request, they come and
 * go.
 */
export function isAhead(own: number, fewest: number): boolean {
  return own > fewest * 1.2 + 1;
}

/** How often a worker writes to the scoreboard that it is alive. */
const postMs = 50;
/** A worker that has not written to the scoreboard for longer counts as blocked. */
const freshMs = 200;
/**
 * While no thread is free, a worker waits this long for others that do not write. On a busy machine they may only lack CPU
 * time, and what this worker takes may wait for much longer.
 */
const starvedMs = 2000;
/**
 * While no thread of any worker is free, a new connection waits this long for the first thread: a worker that takes it could not
 * give it back. After that this worker takes it, so that time limits and health checks apply.
 */
const crowdedMs = 500;
/**
 * A change of its count by less than a sixteenth waits for the next regular write: the others compare with a fifth. With a
 * connection per request, a write for each would be a tenth of its cost.
 */
const unpostedPart = 1 / 16;
/** The event loop lags if its timer fires this much late. */
const lagMs = 100;
/** While a worker waits for the others to catch up, it reads their counts this often at first, then ever less. */
const firstCheckMs = 1;
const longestCheckMs = 32;

export interface IntakeOptions {
  /** The most connections at once: `--worker-connections`. */
  readonly limit: number;
  /** Its slot on the scoreboard. Without one, it takes what comes. */
  readonly slot: Slot | undefined;
  readonly shortages: Shortages;
}

export class Intake {
  /** For the servers that it opens. */
  readonly waitOrder = new WaitOrder();
  private readonly options: IntakeOptions;
  private readonly scoreboard: Scoreboard | undefined;
  private occupancy: Occupancy | undefined = undefined;
  private gate: Gate | undefined = undefined;
  private isLagging = false;
  private isPaused = false;
  /** Since when it has been paused while nobody else has room. */
  private crowdedAt: number | undefined = undefined;
  /** The fewest connections of any other worker, as far as is known. */
  private fewest = 0;
  /** What it has written last. */
  private said: Entry = { connections: -1, isTaking: false, hasRoom: false };
  private stopPosting: (() => void) | undefined = undefined;
  private checkTimer: NodeJS.Timeout | undefined = undefined;
  private checkMs = firstCheckMs;
  private isLeaving = false;

  constructor(options: IntakeOptions) {
    this.options = options;
    this.scoreboard = options.slot === undefined ? undefined : new Scoreboard(options.slot);
  }

  async open(sockets: readonly WorkerSocket[], servers: readonly ConnectionServer[], backlog: number): Promise<void> {
    const { limit: wanted, shortages } = this.options;
    const onTime = () => this.decide();
    const occupancy = new Occupancy({ wanted, servers, order: this.waitOrder, shortages, onTime });
    this.occupancy = occupancy;
    this.gate = await openGate({
      sockets,
      servers,
      backlog,
      shortages,
      take: (server, incoming, peer) => {
        server.serve(incoming, peer);
        occupancy.enter();
        this.decide();
      },
    });
    occupancy.measure();
    this.post();
    this.watchLag();
  }

  /** A connection has ended. While the worker takes more, the next connection or the next regular write reports it. */
  forget(): void {
    this.occupancy?.leave();
    if (this.gate?.isOpen === false) this.decide();
  }

  /** New connections would only wait here: other workers should take them, if there are any that do. */
  pause(): void {
    this.isPaused = true;
    this.decide();
  }

  /** Takes none for a while, on purpose. */
  hold(ms: number): void {
    this.occupancy?.hold(ms);
  }

  resume(): void {
    this.isPaused = false;
    this.crowdedAt = undefined;
    this.decide();
  }

  /**
   * Takes no more connections.
   * @param emptyQueue called first if no other worker will take the connections that wait; until it resolves, this worker takes
   *   all of them
   */
  async end(isStop: boolean, emptyQueue: () => Promise<void>): Promise<void> {
    this.isLeaving = true;
    this.stopPosting?.();
    clearTimeout(this.checkTimer);
    this.post();
    this.occupancy?.stop();
    if (isStop || this.gate?.leavesToOthers === false) {
      this.gate?.open();
      await emptyQueue();
    }
    this.gate?.close();
  }

  /** Decides whether to take more connections. While the answer is no, it decides again later. */
  private decide(): void {
    const { gate, occupancy } = this;
    if (gate === undefined || occupancy === undefined || this.isLeaving) return;
    const { isFull, canTake } = occupancy;
    const isAway = gate.leavesToOthers && this.isForOthers(isFull);
    this.postChange();
    if (isAway || !canTake) {
      gate.shut();
      // A full worker needs no timer: it is called back when a connection ends, or can make room.
      if (isAway && !isFull) this.checkAgain();
    } else {
      this.checkMs = firstCheckMs;
      gate.open();
    }
  }

  /** Whether other workers should take new connections instead. */
  private isForOthers(isFull: boolean): boolean {
    if (this.scoreboard === undefined) return false;
    if (this.isPaused) return this.isLeftToOthers(this.scoreboard);
    // In most cases the others have more than when their counts were last read.
    const isBusy = this.isLagging || isFull;
    const connections = this.occupancy?.count ?? 0;
    if (!isBusy && !isAhead(connections, this.fewest)) return false;
    this.fewest = this.scoreboard.fewest(sharedClock(), freshMs);
    return isBusy ? this.fewest !== Number.POSITIVE_INFINITY : isAhead(connections, this.fewest);
  }

  private isLeftToOthers(scoreboard: Scoreboard): boolean {
    const clock = sharedClock();
    if (scoreboard.hasRoom(clock, starvedMs)) {
      this.crowdedAt = undefined;
      return true;
    }
    const now = performance.now();
    this.crowdedAt ??= now;
    return now - this.crowdedAt < crowdedMs && scoreboard.hasOthers(clock, freshMs);
  }

  private checkAgain(): void {
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => this.decide(), this.checkMs);
    this.checkMs = Math.min(this.checkMs * 2, longestCheckMs);
  }

  private post(): void {
    const connections = this.occupancy?.count ?? 0;
    const { hasRoom } = this;
    this.said = { connections, isTaking: hasRoom && !this.isLagging, hasRoom };
    this.scoreboard?.write(this.said, sharedClock());
  }

  /** Writes at once what the others must know now; the rest waits for the next regular write. */
  private postChange(): void {
    const { said, hasRoom } = this;
    const isSame = said.hasRoom === hasRoom && said.isTaking === (hasRoom && !this.isLagging);
    const difference = (this.occupancy?.count ?? 0) - said.connections;
    if (!isSame || Math.abs(difference) > said.connections * unpostedPart) this.post();
  }

  private get hasRoom(): boolean {
    return !this.isPaused && !this.isLeaving && this.occupancy?.isFull !== true;
  }

  private watchLag(): void {
    if (this.scoreboard === undefined) return;
    let expected = performance.now() + postMs;
    /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
    const tsgunPost = () => {
      const now = performance.now();
      const wasLagging = this.isLagging;
      this.isLagging = now - expected > lagMs;
      expected = now + postMs;
      this.fewest = 0;
      if (this.isLagging !== wasLagging) this.decide();
      else this.post();
    };
    this.stopPosting = every(postMs, tsgunPost);
  }
}
