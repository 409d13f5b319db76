/**
 * Keeps slow routes from taking all of a worker (`--limit-concurrency`): of the requests whose path matches a pattern, at most N run at
 * once. The others wait for their turn.
 */

import type { Handler } from '../app/handler.ts';
import type { ConcurrencyLimit } from '../config/values/concurrency.ts';
import { inFreshContext } from '../http/context.ts';
import type { Exchange } from '../http/exchange.ts';
import { takesEffect, withoutClient } from '../http/unheard.ts';
import { Line } from './line.ts';
import { isTooLong } from './newest-first.ts';

interface Waiting {
  readonly exchange: Exchange;
  readonly since: number;
  /** The app is done with the request, or will never get it. */
  readonly settle: () => void;
}

/** Requests that share one limit. */
class Compartment {
  private readonly limit: number;
  private readonly handle: Handler;
  private readonly newestFirst: boolean;
  private running = 0;
  private readonly waiting = new Line<Waiting>();

  constructor(limit: number, handle: Handler, newestFirst: boolean) {
    this.newestFirst = newestFirst;
    this.limit = limit;
    this.handle = handle;
  }

  enter(exchange: Exchange): void | Promise<void> {
    if (this.running < this.limit) return this.run(exchange);
    return new Promise((settle) => {
      const waiting = { exchange, since: performance.now(), settle };
      this.waiting.add(waiting);
      exchange.onAbort((reason) => {
        if (!takesEffect(exchange, reason) && this.waiting.delete(waiting)) settle();
      });
    });
  }

  private run(exchange: Exchange): void | Promise<void> {
    this.running++;
    const { onOver } = exchange;
    exchange.onOver = (answered) => {
      this.running--;
      onOver?.(answered);
      this.goOn();
    };
    return this.handle(exchange);
  }

  private goOn(): void {
    const { waiting } = this;
    if (waiting.size === 0 || this.running >= this.limit) return;
    const now = performance.now();
    const isFromBack = this.newestFirst && isTooLong(waiting.at(0).since, now);
    const next = waiting.at(isFromBack ? waiting.size - 1 : 0);
    waiting.delete(next);
    const { exchange, since, settle } = next;
    exchange.queueMs = now - since;
    const done = inFreshContext(() => this.run(exchange.isGone ? withoutClient(exchange) : exchange));
    if (done === undefined) settle();
    else void done.then(settle);
  }
}

/**
 * @param newestFirst whether the newest go first where they wait too long
 * @returns a handler in which each request waits for its turn; `handle` itself if nothing is limited
 */
export function bulkheads(limits: readonly ConcurrencyLimit[], handle: Handler, newestFirst: boolean): Handler {
  if (limits.length === 0) return handle;
  const compartments = limits.map(({ pattern, limit }) => ({
    matches: matcher(pattern),
    compartment: new Compartment(limit, handle, newestFirst),
  }));
  return (exchange) => {
    const path = decoded(exchange.head.path);
    const found = compartments.find(({ matches }) => matches(path));
    return found === undefined ? handle(exchange) : found.compartment.enter(exchange);
  };
}

/** Takes time in proportion to the path's length: each part between two `*` is searched for once. */
export function matcher(pattern: string): (path: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (path) => path === pattern;
  return (path) => {
    if (!path.startsWith(first) || !path.endsWith(last) || path.length < first.length + last.length) return false;
    let at = first.length;
    for (const part of rest) {
      const found = path.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= path.length - last.length;
  };
}

/** For the app, an encoded and a plain path are the same. */
export function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
