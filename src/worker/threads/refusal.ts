/** The answer to a request for which no thread will be free in time. */

import type { Exchange } from '../../http/exchange.ts';

const busyFields = [
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Retry-After', '1'],
] as const;

export function refuse(exchange: Exchange): void {
  const status = '503 Service Unavailable';
  exchange.send(status, busyFields, `${status}\nno thread is free\n`);
}
