/**
 * A request whose time is over. The app hears of it first (`tsgun.signal`); if it has not answered after a grace, the
 * caller ends the request.
 */

import { timeoutError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { overdueGraceMs } from './limits.ts';

/**
 * @param end called once, when the grace is over too, with the milliseconds since the request's head was read
 * @returns when to check again, in the same clock as `now`
 */
export function checkDeadline(exchange: Exchange | undefined, now: number, end: (ms: number) => void): number {
  if (exchange === undefined || exchange.deadline === 0) return Number.POSITIVE_INFINITY;
  if (exchange.deadline > now) return exchange.deadline;
  if (!exchange.isOverdue) {
    exchange.isOverdue = true;
    exchange.deadline = now + overdueGraceMs;
    exchange.leave(timeoutError());
    return exchange.deadline;
  }
  exchange.deadline = 0;
  end(Math.round(now - exchange.startedAt));
  return Number.POSITIVE_INFINITY;
}
