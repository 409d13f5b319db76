/** Requests that run, as an operator sees them. */

import type { Exchange } from './exchange.ts';
import type { RequestHead } from './head.ts';

/** A request that runs. */
export interface RequestDetails {
  readonly method: string;
  readonly path: string;
  readonly ms: number;
  readonly query: string;
  readonly client: string;
  readonly head: RequestHead;
  /** Of the bodies, so far. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** How long it waited for a thread; undefined if that is not measured. */
  readonly queueMs?: number;
}

/** A request that is not answered yet; `ms` is how long it has been running. */
export interface RunningRequest {
  readonly method: string;
  readonly path: string;
  readonly ms: number;
}

export function runningOf({ head: { method, path }, startedAt }: Exchange, now: number): RunningRequest {
  return { method, path, ms: Math.max(0, Math.round(now - startedAt)) };
}

/** The same with more details. */
export function detailsOf(exchange: Exchange, now: number): RequestDetails {
  const { head, ends, queueMs, receivedBytes, sentBytes } = exchange;
  const costs = { receivedBytes, sentBytes, ...(queueMs === undefined ? {} : { queueMs: Math.round(queueMs) }) };
  const { address, port } = ends.remote;
  const client = address.includes(':') ? `[${address}]:${port}` : port === '' ? address : `${address}:${port}`;
  return { ...runningOf(exchange, now), query: head.query, client, head, ...costs };
}
