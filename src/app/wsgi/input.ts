/** `wsgi.input`: a request's body as a Node stream, fed only as fast as the app reads. */

import { Readable } from 'node:stream';
import type { Exchange } from '../../http/exchange.ts';

export class InputStream extends Readable {
  private readonly exchange: Exchange;
  private isReading = false;

  constructor(exchange: Exchange) {
    super();
    this.exchange = exchange;
    exchange.onAbort((reason) => this.destroy(reason));
    // An app that has stopped listening to its input must not be ended by its client's departure.
    this.on('error', () => {});
  }

  override _read(): void {
    if (this.isReading) return this.exchange.resumeBody();
    this.isReading = true;
    this.exchange.readBody({ onData: (bytes) => this.push(bytes), onEnd: () => this.push(null) });
  }
}
