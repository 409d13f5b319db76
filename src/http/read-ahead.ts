/**
 * Reads request bodies ahead of the app, for the worker classes in which a request that has begun costs a thread or the whole
 * worker: a client that sends slowly then costs a connection and the memory for its body, and no other client waits for it.
 */

import type { Exchange } from './exchange.ts';
import { maxReadAheadBytes } from './limits.ts';
import { Pieces } from './pieces.ts';

export type Begin = (exchange: Exchange) => void;

export class ReadAhead {
  private readonly limitBytes: number;
  private readonly begin: Begin;
  private readonly onFull: () => void;
  /** Bytes held for each request that waits to begin. */
  private readonly held = new Map<Exchange, number>();
  private heldBytes = 0;

  /**
   * @param limitBytes a longer body goes to the app as it arrives, from this many bytes on; 0: every body does
   * @param begin takes each request when it may begin
   * @param onFull called when bodies take as much memory as they may: further ones go to the app as they arrive
   */
  constructor(limitBytes: number, begin: Begin, onFull: () => void) {
    this.limitBytes = limitBytes;
    this.begin = begin;
    this.onFull = onFull;
  }

  /** Takes a request whose head is complete. */
  take(exchange: Exchange): void {
    if (!exchange.head.hasBody || this.limitBytes === 0) return this.begin(exchange);
    const pieces = new Pieces();
    const end = () => {
      exchange.giveBack(pieces);
      if (!exchange.isGone) this.begin(exchange);
    };
    this.held.set(exchange, 0);
    exchange.onAbort(() => this.release(exchange));
    // The server may answer it without the app.
    const { onOver } = exchange;
    exchange.onOver = (answered) => {
      this.release(exchange);
      onOver?.(answered);
    };
    exchange.readBody({
      onData: (bytes) => {
        pieces.add(bytes);
        const { byteCount } = pieces;
        this.held.set(exchange, byteCount);
        this.heldBytes += bytes.length;
        const isFull = this.heldBytes > maxReadAheadBytes;
        if (byteCount <= this.limitBytes && !isFull) return true;
        if (isFull) this.onFull();
        // First: the app may ask for the body to go on.
        exchange.transport.pauseBody();
        end();
        return true;
      },
      onEnd: end,
    });
  }

  /** The request has begun, or never will. */
  release(exchange: Exchange): void {
    this.heldBytes -= this.held.get(exchange) ?? 0;
    this.held.delete(exchange);
  }
}
