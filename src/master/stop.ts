/** Requests to stop the service, up to the moment the stop begins, which `--drain-delay` may hold back. */

import type { Logger } from '../logger.ts';
import type { Children } from './children/children.ts';
import { isEcho, originFields, type StopRequest } from './commands.ts';
import type { CommandEvent } from './events.ts';
import * as notes from './notes.ts';
import { type Child, type Pool, readyOf } from './pool.ts';

interface Parts {
  readonly pool: Pool;
  readonly children: Children;
  readonly log: () => Logger;
  /** Of the configuration in force. */
  readonly delayMs: () => number;
  /** Whether another master serves on the same sockets, and goes on. */
  readonly hasOther: () => boolean;
}

export class Stop {
  /** The request that is being obeyed. */
  request: StopRequest | undefined = undefined;
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  take(event: CommandEvent): void {
    const { pool, log } = this.parts;
    const { origin, at } = event;
    const fields = { ...originFields(origin), workers: pool.children.size };
    if (this.request !== undefined && isEcho(this.request, event))
      return log().say('debug', fields, 'the same signal again, most likely passed on by npm or a terminal: ignored');
    const now = performance.now();
    const pace = event.command === 'stop' ? 'graceful' : 'quick';
    if (this.isDelayed) {
      // An echo that comes from now on is of this request.
      this.request = { origin, at };
      log().event('info', 'shutdown_started', fields, 'asked to stop again: the drain delay ends');
      return notes.noteStopping(pool, pace, now);
    }
    this.request ??= { origin, at };
    if (pool.stopping !== undefined) {
      log().event('warn', 'shutdown_started', fields, 'asked to stop again: the workers that are left are killed');
      return notes.noteStopping(pool, 'immediate', now);
    }
    const delayMs = this.parts.delayMs();
    if (pace !== 'graceful' || delayMs === 0 || !this.isWorthDelay) {
      log().event('info', 'shutdown_started', fields, 'stopping');
      return notes.noteStopping(pool, pace, now);
    }
    const message = `stopping in ${delayMs / 1000} s: until then the service goes on, and is not ready`;
    log().event('info', 'shutdown_started', { ...fields, drainDelayMs: delayMs }, message);
    notes.noteDrainDelay(pool, now + delayMs);
    this.parts.children.sendAll({ type: 'unready' });
  }

  /** Called at every turn of the loop. */
  checkDelay(now: number): void {
    const { pool, log } = this.parts;
    if (now < pool.drainUntil) return;
    log().event('info', 'shutdown_started', {}, 'the drain delay is over: stopping');
    notes.noteStopping(pool, 'graceful', now);
  }

  /** Tells a worker that becomes ready during the drain delay, too. */
  welcome(child: Child): void {
    if (this.isDelayed) this.parts.children.send(child, { type: 'unready' });
  }

  private get isDelayed(): boolean {
    const { stopping, drainUntil } = this.parts.pool;
    return stopping === undefined && drainUntil < Number.POSITIVE_INFINITY;
  }

  /** Nobody sends requests to a service without workers; and another master serves those that come. */
  private get isWorthDelay(): boolean {
    return readyOf(this.parts.pool).length > 0 && !this.parts.hasOther();
  }
}
