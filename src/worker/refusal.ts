/** The answer to a request that could not be answered in time: early, and at little cost. */

import type { Exchange } from '../http/exchange.ts';

const status = '503 Service Unavailable';
const fields = [
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Retry-After', '1'],
] as const;

/** @param why a line for the client */
export function refuse(exchange: Exchange, why: string): void {
  if (exchange.observers !== undefined) exchange.observers.shed++;
  exchange.send(status, fields, `${status}\n${why}\n`);
}
