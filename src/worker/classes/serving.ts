/**
 * The servers of one worker, one for each socket, as one object: their common counts, and how they drain. How connections reach
 * them is for the worker class to decide.
 */

import type { ConnectionServer } from '../../http/accept.ts';
import type { Suspect } from '../../http/suspect.ts';
import type { RequestDetail, RunningRequest } from '../../ipc/messages.ts';
import { closeIdle, emptyQueue } from '../accept/kernel-queue.ts';

export interface Server extends ConnectionServer {
  /** Requests answered since the start. */
  readonly requests: number;
  /** Connections since the start. */
  readonly accepted: number;
  /** Connections that speak another protocol now. Absent if none can. */
  readonly upgradedCount?: number;
  running(): RunningRequest[];
  /** As `running`, with more about each. Absent if no more is known. `head` identifies a request. */
  details?(): (RequestDetail & { readonly head: object })[];
  /** The requests that an escaped error may come from. */
  suspects?(): Suspect[];
  /** Finishes what runs; resolves when no connection is left. */
  drain(idleGraceMs: number): Promise<void>;
  /** Closes the connections on which no request runs. Absent if only the app knows which these are. */
  closeIdle?(): void;
  /** Brings the traffic counts up to date, if they are not counted as bytes come. */
  countTraffic?(): void;
  /** The process is about to end: tells observers of the requests that still run. */
  tellUnfinished(): void;
  /** The process ends: cuts answers that would look complete. Absent if only the app knows what is complete. */
  cutUnfinished?(): void;
  /** Tells upgraded connections that they end. */
  sayFarewell?(): void;
}

export interface ServingStats {
  /** Requests answered since the start. */
  readonly requests: number;
  /** Connections since the start. */
  readonly accepted: number;
  /** Connections now. */
  readonly connections: number;
}

export class Serving<S extends Server = Server> {
  readonly servers: readonly S[];
  private isDraining = false;
  private isHurried = false;

  constructor(servers: readonly S[]) {
    this.servers = servers;
  }

  get requests(): number {
    return this.servers.reduce((sum, { requests }) => sum + requests, 0);
  }

  get accepted(): number {
    return this.servers.reduce((sum, { accepted }) => sum + accepted, 0);
  }

  get connections(): number {
    return this.servers.reduce((sum, { connectionCount }) => sum + connectionCount, 0);
  }

  get upgraded(): number {
    return this.servers.reduce((sum, { upgradedCount = 0 }) => sum + upgradedCount, 0);
  }

  stats(): ServingStats {
    const { requests, accepted, connections } = this;
    return { requests, accepted, connections };
  }

  /**
   * Requests that are not answered yet. It may be called while the main thread is paused at any point, so it must change
   * nothing.
   */
  running(): RunningRequest[] {
    return this.servers.flatMap((server) => server.running());
  }

  /** As `running`, with more about each. `head` identifies a request. */
  details(): (RequestDetail & { readonly head?: object })[] {
    return this.servers.flatMap((server): (RequestDetail & { readonly head?: object })[] =>
      server.details === undefined ? server.running() : server.details(),
    );
  }

  /**
   * Accepts until the accept queue is empty, unless `hurry` was called.
   * @param countArrived how many connections have come, if they are not served as they come
   */
  emptyQueue(countArrived = () => this.accepted): Promise<void> {
    return emptyQueue(countArrived, () => this.isHurried);
  }

  /** Finishes what runs; resolves when no connection is left. */
  async drain(idleGraceMs: number): Promise<void> {
    this.isDraining = true;
    const drained = Promise.all(this.servers.map((server) => server.drain(idleGraceMs)));
    if (this.isHurried) void closeIdle(this.servers);
    await drained;
  }

  /** Before or while draining: idle connections get no more time. */
  hurry(): void {
    this.isHurried = this.servers.some((server) => server.closeIdle !== undefined);
    if (this.isHurried && this.isDraining) void closeIdle(this.servers);
  }

  /** The requests that an escaped error may come from. */
  suspects(): Suspect[] {
    return this.servers.flatMap((server) => server.suspects?.() ?? []);
  }

  /** Brings the traffic counts up to date. */
  countTraffic(): void {
    for (const server of this.servers) server.countTraffic?.();
  }

  /** The process is about to end: tells observers of the requests that still run. */
  tellUnfinished(): void {
    for (const server of this.servers) server.tellUnfinished();
  }

  /** The process ends, whatever the reason: cuts answers that would look complete. */
  cutUnfinished(): void {
    for (const server of this.servers) server.cutUnfinished?.();
  }

  /** Time is over and the process is about to exit: tells upgraded connections. */
  sayFarewell(): void {
    for (const server of this.servers) server.sayFarewell?.();
  }
}
