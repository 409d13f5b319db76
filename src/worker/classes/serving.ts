/**
 * The servers of one worker, one for each of its sockets, as one: what they count together, and their way out. How
 * connections come to them is the worker class's to say.
 */

import type { ConnectionServer } from '../../http/accept.ts';
import type { Suspect } from '../../http/suspect.ts';
import type { RequestDetail, RunningRequest } from '../../ipc/messages.ts';
import { closeIdle, emptyQueue } from '../accept/kernel-queue.ts';

export interface Server extends ConnectionServer {
  /** Requests answered so far. */
  readonly requests: number;
  /** Connections so far. */
  readonly accepted: number;
  /** Connections that speak another protocol now. Not there where none can. */
  readonly upgradedCount?: number;
  running(): RunningRequest[];
  /** The same, with more to know of each. Not there where there is no more. `head` tells one from others. */
  details?(): (RequestDetail & { readonly head: object })[];
  /** What an escaped error may come from. */
  suspects?(): Suspect[];
  /** Finishes what runs; resolves when no connection is left. */
  drain(idleGraceMs: number): Promise<void>;
  /** Closes the connections on which no request runs. Not there where only the app knows which these are. */
  closeIdle?(): void;
  /** Adds what is not counted as it comes to the traffic. */
  countTraffic?(): void;
  /** The process is about to end: observers hear of what is not over. */
  tellUnfinished(): void;
  /** The process ends: cuts answers that would look complete. Not there where only the app knows what is complete. */
  cutUnfinished?(): void;
  /** Tells connections after an upgrade that they end. */
  sayFarewell?(): void;
}

export interface ServingStats {
  /** Requests answered so far. */
  readonly requests: number;
  /** Connections so far. */
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

  /** Requests that are not answered yet. Asked while the main thread is stopped anywhere: it may only look. */
  running(): RunningRequest[] {
    return this.servers.flatMap((server) => server.running());
  }

  /** As `running`. `head` tells one from others. */
  details(): (RequestDetail & { readonly head?: object })[] {
    return this.servers.flatMap((server): (RequestDetail & { readonly head?: object })[] =>
      server.details === undefined ? server.running() : server.details(),
    );
  }

  /**
   * Goes on until the accept queue is empty, unless there is a hurry.
   * @param countArrived where connections are not served as they come: how many have come
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

  /** Before or while draining: idle connections get no grace any more. */
  hurry(): void {
    this.isHurried = this.servers.some((server) => server.closeIdle !== undefined);
    if (this.isHurried && this.isDraining) void closeIdle(this.servers);
  }

  /** What an escaped error may come from. */
  suspects(): Suspect[] {
    return this.servers.flatMap((server) => server.suspects?.() ?? []);
  }

  /** All bytes until now are in the observers' traffic. */
  countTraffic(): void {
    for (const server of this.servers) server.countTraffic?.();
  }

  /** The process is about to end: who wants to hear of requests hears of those that are not over. */
  tellUnfinished(): void {
    for (const server of this.servers) server.tellUnfinished();
  }

  /** The process ends, for whatever reason. */
  cutUnfinished(): void {
    for (const server of this.servers) server.cutUnfinished?.();
  }

  /** Out of time, and about to exit: what connections after an upgrade are told. */
  sayFarewell(): void {
    for (const server of this.servers) server.sayFarewell?.();
  }
}
