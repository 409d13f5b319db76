/** Answers `--health-path` in the app's place, on the app's own address. */

import type { Handler } from '../app/handler.ts';
import type { Exchange } from '../http/exchange.ts';

const type = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const noStore = ['Cache-Control', 'no-store'] as const;

export class Health {
  /** A worker that can answer is ready, unless the whole service is about to stop. */
  isReady = true;
  private readonly path: string | undefined;

  constructor(path: string | undefined) {
    this.path = path;
  }

  /** The outermost handler: neither hooks nor the access log see these requests. */
  readonly around = (handle: Handler): Handler => {
    const { path } = this;
    if (path === undefined) return handle;
    return (exchange) => (exchange.head.path === path ? this.answer(exchange) : handle(exchange));
  };

  private answer(exchange: Exchange): void {
    exchange.disregard();
    const { method } = exchange.head;
    if (method !== 'GET' && method !== 'HEAD')
      exchange.send('405 Method Not Allowed', [type, ['Allow', 'GET, HEAD']], 'GET and HEAD only\n');
    else if (this.isReady) exchange.send('200 OK', [type, noStore], 'ready\n');
    else
      exchange.send('503 Service Unavailable', [type, noStore, ['Retry-After', '1']], 'not ready\nthe service stops\n');
  }
}
