/** Which requests another thread may run after theirs has ended: those that a client could repeat itself (RFC 9110 §9.2.2). */

import type { Relay } from './relay.ts';

/** Only once: a request that ends its thread would end one after the other. */
export function isRetryable({ exchange, isRetry, hasBody }: Relay): boolean {
  if (isRetry || hasBody) return false;
  const { head, isStarted, isGone, isOverdue, leaveReason } = exchange;
  const isSafe = head.method === 'GET' || head.method === 'HEAD';
  return isSafe && !isStarted && !isGone && !isOverdue && leaveReason === undefined;
}
