/** `wsgi.input`: a request's body as a Node stream, fed only as fast as the app reads. */

import { Readable } from 'node:stream';
import type { Exchange } from '../../http/exchange.ts';
import { lazyReadable } from '../../node/lazy-readable.ts';

class InputStream extends Readable {
  declare exchange: Exchange;
  declare isReading: boolean;

  override _read(): void {
    if (this.isReading) return this.exchange.resumeBody();
    this.isReading = true;
    this.exchange.readBody({ onData: (bytes) => this.push(bytes), onEnd: () => this.push(null) });
  }
}

function begin(stream: InputStream, exchange: Exchange): InputStream {
  stream.exchange = exchange;
  stream.isReading = false;
  exchange.onAbort((reason) => stream.destroy(reason));
  // An app that has stopped listening to its input must not be ended by its client's departure.
  stream.on('error', () => {});
  return stream;
}

/** Few requests have a body, and few apps look: a stream would cost more than the rest of a small request. */
export const makeInput: (exchange: Exchange) => Readable =
  lazyReadable(InputStream, begin) ?? ((exchange) => begin(new InputStream(), exchange));
