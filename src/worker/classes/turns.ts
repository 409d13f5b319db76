/**
 * Gives turns to connections in a worker that serves one at a time: the first one shuts the gate until its turn ends. At a stop
 * it takes the others, and keeps them until their turns.
 */

import { setTimeout } from 'node:timers/promises';
import type { ConnectionServer } from '../../http/accept.ts';
import type { End } from '../../http/ends.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import type { Gate } from '../accept/gate.ts';

export type Arrival<S> = readonly [server: S, incoming: Incoming, peer: End];

export interface TurnsOptions<S> {
  /** Whether a connection can have its turn now. */
  readonly isFree: () => boolean;
  readonly serve: (...arrival: Arrival<S>) => void;
  /** Whether there is room for another connection. Absent if there is no limit. */
  readonly canTake?: () => boolean;
}

export class Turns<S extends ConnectionServer> {
  /** Undefined until all gates are open. */
  gate: Gate | undefined = undefined;
  /** Connections since the start. */
  arrived = 0;
  private readonly options: TurnsOptions<S>;
  /** Connections that were taken at a stop and wait for their turn. */
  private readonly waiting: Arrival<S>[] = [];
  private isGathering = false;
  /** Called at each change, by those who wait for one of the states below. */
  private readonly checks: (() => void)[] = [];

  constructor(options: TurnsOptions<S>) {
    this.options = options;
  }

  take(...arrival: Arrival<S>): void {
    this.arrived++;
    if (this.options.isFree()) this.serve(arrival);
    else this.waiting.push(arrival);
  }

  /** A turn has begun. */
  shut(): void {
    if (!this.isGathering) this.gate?.shut();
  }

  /** If no connection has its turn any more, the next one gets it. */
  goOn(): void {
    const { isFree, canTake } = this.options;
    if (!isFree()) return;
    const next = this.waiting.shift();
    if (next !== undefined) this.serve(next);
    else if (canTake?.() !== false) this.gate?.open();
    for (const check of this.checks) check();
  }

  /** From now on takes every connection, and keeps it until its turn. */
  gather(): void {
    this.isGathering = true;
    this.gate?.open();
  }

  /** Resolves when no connection waits for a turn. */
  untilNoneWait(): Promise<void> {
    return this.until(() => this.waiting.length === 0);
  }

  /** Resolves when no connection waits for a turn or has one. */
  untilNoneIsLeft(): Promise<void> {
    return this.until(() => this.waiting.length === 0 && this.options.isFree());
  }

  /** Resolves when no connection has a turn and none comes, or after `ms`. */
  async untilIdle(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    let before = -1;
    while (!(this.options.isFree() && before === this.arrived) && performance.now() < deadline) {
      before = this.arrived;
      await setTimeout(1);
    }
  }

  private until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => isMet() && resolve();
      this.checks.push(check);
      check();
    });
  }

  private serve(arrival: Arrival<S>): void {
    this.shut();
    this.options.serve(...arrival);
  }
}
