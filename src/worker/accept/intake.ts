/**
 * How many connections a worker takes: at most `--worker-connections`, where an idle one makes room for a new one; not
 * many more than the least loaded of the others, and none while its loop lags. What it does not take stays in the accept
 * queue, for the others: no connection passes from worker to worker, so none is lost on the way.
 */

// Not the globals, which an app may replace.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import type { ConnectionServer } from '../../http/accept.ts';
import { WaitOrder } from '../../http/h1/host.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { type Entry, Scoreboard, type Slot, sharedClock } from '../../ipc/scoreboard.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Gate } from './gate.ts';
import { Occupancy } from './occupancy.ts';
import { openGate } from './open-gate.ts';

/** A fifth more than the least loaded, and one for when all have few: with a connection per request they come and go. */
export function isAhead(own: number, fewest: number): boolean {
  return own > fewest * 1.2 + 1;
}

/** How often a worker says that it is there. */
const postMs = 50;
/** A worker that has not written to the scoreboard for longer counts as blocked. */
const freshMs = 200;
/**
 * While no thread is free, others are waited for this long: on a busy machine they may merely not be scheduled, and what
 * this worker takes may have to wait for much longer.
 */
const starvedMs = 2000;
/**
 * Others compare with a fifth of what it has. So a sixteenth more or less than it has said waits for the next time: with a
 * connection per request, a write for each would be a tenth of what the connection costs.
 */
const untoldPart = 1 / 16;
/** A loop that comes back this much later than it was to is lagging. */
const lagMs = 100;
/** While it waits for the others to catch up, it looks at them this often at first, then ever less. */
const firstLookMs = 1;
const longestLookMs = 32;

export interface IntakeOptions {
  /** The connections that it holds at once: `--worker-connections`. */
  readonly limit: number;
  /** Where it says how many it has; without one, it takes what comes. */
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
  /** The fewest connections of any other, as far as is known. */
  private fewest = 0;
  /** What it has said last. */
  private said: Entry = { connections: -1, isTaking: false, hasRoom: false };
  private postTimer: NodeJS.Timeout | undefined = undefined;
  private lookTimer: NodeJS.Timeout | undefined = undefined;
  private lookMs = firstLookMs;
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

  /** A connection has ended. While it takes more, that is soon enough said with the next one, or in its time. */
  forget(): void {
    this.occupancy?.leave();
    if (this.gate?.isOpen === false) this.decide();
  }

  /** What comes would only wait here: others should take it, if there are any that do. */
  pause(): void {
    this.isPaused = true;
    this.decide();
  }

  resume(): void {
    this.isPaused = false;
    this.decide();
  }

  /**
   * Takes no more.
   * @param emptyQueue called first if no other worker will take what waits; until it resolves, this worker takes all of it
   */
  async end(isStop: boolean, emptyQueue: () => Promise<void>): Promise<void> {
    this.isLeaving = true;
    clearInterval(this.postTimer);
    clearTimeout(this.lookTimer);
    this.post();
    this.occupancy?.stop();
    if (isStop || this.gate?.leavesToOthers === false) {
      this.gate?.open();
      await emptyQueue();
    }
    this.gate?.close();
  }

  /** Whether to take more. Asked anew while it does not. */
  private decide(): void {
    const { gate, occupancy } = this;
    if (gate === undefined || occupancy === undefined || this.isLeaving) return;
    const { isFull, canTake } = occupancy;
    const isAway = gate.leavesToOthers && this.isForOthers(isFull);
    this.postChange();
    if (isAway || !canTake) {
      gate.shut();
      // A full worker needs no timer: it is called back when a connection ends, or can make room.
      if (isAway && !isFull) this.lookAgain();
    } else {
      this.lookMs = firstLookMs;
      gate.open();
    }
  }

  /** Whether others should rather take what comes. */
  private isForOthers(isFull: boolean): boolean {
    if (this.scoreboard === undefined) return false;
    if (this.isPaused) return this.scoreboard.hasRoom(sharedClock(), starvedMs);
    // Mostly the others have more than when they were last looked at.
    const isBusy = this.isLagging || isFull;
    const connections = this.occupancy?.count ?? 0;
    if (!isBusy && !isAhead(connections, this.fewest)) return false;
    this.fewest = this.scoreboard.fewest(sharedClock(), freshMs);
    return isBusy ? this.fewest !== Number.POSITIVE_INFINITY : isAhead(connections, this.fewest);
  }

  private lookAgain(): void {
    clearTimeout(this.lookTimer);
    this.lookTimer = setTimeout(() => this.decide(), this.lookMs);
    this.lookMs = Math.min(this.lookMs * 2, longestLookMs);
  }

  private post(): void {
    const connections = this.occupancy?.count ?? 0;
    const { hasRoom } = this;
    this.said = { connections, isTaking: hasRoom && !this.isLagging, hasRoom };
    this.scoreboard?.write(this.said, sharedClock());
  }

  /** Says what the others must not wait for: they hear the rest in its time. */
  private postChange(): void {
    const { said, hasRoom } = this;
    const isSame = said.hasRoom === hasRoom && said.isTaking === (hasRoom && !this.isLagging);
    const difference = (this.occupancy?.count ?? 0) - said.connections;
    if (!isSame || Math.abs(difference) > said.connections * untoldPart) this.post();
  }

  private get hasRoom(): boolean {
    return !this.isPaused && !this.isLeaving && this.occupancy?.isFull !== true;
  }

  private watchLag(): void {
    if (this.scoreboard === undefined) return;
    let expected = performance.now() + postMs;
    /** Its name says that nothing else runs: see `examiner.ts`. */
    const tsgunPost = () => {
      const now = performance.now();
      const wasLagging = this.isLagging;
      this.isLagging = now - expected > lagMs;
      expected = now + postMs;
      this.fewest = 0;
      if (this.isLagging !== wasLagging) this.decide();
      else this.post();
    };
    this.postTimer = setInterval(tsgunPost, postMs).unref();
  }
}
