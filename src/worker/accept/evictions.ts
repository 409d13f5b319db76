/**
 * Makes room for new connections in a worker that is at its limit. It closes the connection whose loss costs least (`Worth`);
 * among equals, the one that has waited longest for its client, as nginx does. It never closes a connection whose client still
 * waits for an answer, nor one that was answered just now.
 */

import { clearInterval, setImmediate, setInterval } from 'node:timers';
import type { Waiting, WaitOrder, Worth } from '../../http/host.ts';

interface Candidate {
  readonly connection: Waiting;
  readonly since: number;
  readonly rank: number;
}

export interface EvictionOptions {
  readonly servers: readonly { waiting?(): readonly Waiting[] }[];
  readonly order: WaitOrder;
  /** Whether a connection can be closed may have changed: time has passed, or one was closed. */
  readonly onTime: () => void;
}

const sampleMs = 50;
/**
 * A busy client sends its next request soon after an answer, and its first soon after it connects. So a connection must have
 * waited for this many samples, 200 ms.
 */
const samplesToWait = 5;
/** Connections that were closed here and wait for their clients to close too. Beyond this number they are destroyed at once. */
const mostLeaving = 32;

const ranks: readonly Worth[] = ['nothing', 'connection', 'departing', 'head'];

export class Evictions {
  private readonly options: EvictionOptions;
  /** Positions in the order of waiting at the last samples, oldest first. */
  private samples: number[] = [];
  private timer: NodeJS.Timeout | undefined = undefined;
  /** The connections to close next, the first of them last. Some may have become busy since they were listed. */
  private candidates: Candidate[] = [];
  private readonly leaving = new Set<Waiting>();
  private limit = Number.POSITIVE_INFINITY;
  private connections = 0;
  private due = 0;

  constructor(options: EvictionOptions) {
    this.options = options;
  }

  /** @param limit the most connections */
  setLimit(limit: number): void {
    this.limit = limit;
  }

  /** Those that were closed here and have not ended yet. They do not count as connections any more. */
  get leavingCount(): number {
    for (const connection of this.leaving) if (connection.phase === 'closed') this.leaving.delete(connection);
    return this.leaving.size;
  }

  /** Whether a connection could be closed for another. */
  get canEvict(): boolean {
    return this.next() !== undefined;
  }

  /** Called whenever the number of connections has changed. */
  note(connections: number): void {
    this.connections = connections;
    const isNear = connections * 2 >= this.limit;
    if (isNear && this.timer === undefined) {
      this.sample();
      this.timer = setInterval(() => {
        this.sample();
        this.reduce();
        this.options.onTime();
      }, sampleMs).unref();
    } else if (!isNear && this.timer !== undefined) this.stop();
  }

  /**
   * Closes one connection after the sockets were read, so that one whose request has arrived by then stays. In a burst, each
   * call closes one.
   */
  evict(): void {
    if (this.due++ === 0)
      setImmediate(() => {
        while (this.due > 0) {
          this.due--;
          this.evictNow();
        }
        this.options.onTime();
      });
  }

  /**
   * Several sockets may each have brought a connection when only one could be closed. The others are closed as soon as
   * possible.
   */
  private reduce(): void {
    for (let over = this.connections - this.leavingCount - this.limit; over > 0 && this.canEvict; over--)
      this.evictNow();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.samples = [];
    this.candidates = [];
  }

  private evictNow(): void {
    const connection = this.next();
    if (connection === undefined) return;
    this.candidates.pop();
    const most = Math.max(1, Math.min(mostLeaving, Math.floor(this.limit / 8)));
    const oldest = this.leavingCount >= most ? this.leaving.values().next().value : undefined;
    oldest?.destroy();
    connection.makeRoom();
    this.leaving.add(connection);
  }

  private sample(): void {
    this.samples.push(this.options.order.last);
    if (this.samples.length > samplesToWait) this.samples.shift();
  }

  private next(): Waiting | undefined {
    const listed = this.pick();
    if (listed !== undefined) return listed;
    this.list();
    return this.pick();
  }

  private pick(): Waiting | undefined {
    for (let last = this.candidates.at(-1); last !== undefined; last = this.candidates.at(-1)) {
      const { connection, since } = last;
      const stays =
        connection.waitingSince === since && connection.worth !== undefined && !this.leaving.has(connection);
      if (stays) return connection;
      this.candidates.pop();
    }
    return undefined;
  }

  /** Sorted once for many evictions: with 10,000 connections that takes 3 ms. */
  private list(): void {
    if (this.samples.length < samplesToWait) return;
    const before = this.samples[0]!;
    this.candidates = this.options.servers
      .flatMap((server) => server.waiting?.() ?? [])
      .filter((connection) => connection.waitingSince <= before && !this.leaving.has(connection))
      .map((connection) => ({ connection, since: connection.waitingSince, rank: ranks.indexOf(connection.worth!) }))
      .sort((one, other) => other.rank - one.rank || other.since - one.since);
  }
}
