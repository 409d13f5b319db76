/**
 * Streams that clients of HTTP/2 have opened: Node's own, or bare ones, which become Node's own when somebody needs that.
 */

import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { BareStream, learn, type OpenedStream, type StreamOwner, spare } from './http2-bare.ts';
import { handleOf, type StreamHandle } from './http2-handle.ts';
import { internalsAreOff } from './switch.ts';

export type { OpenedStream, StreamOwner };

/** From now on, `openedStream` takes what the session emits as `stream`, which may be no stream of Node's. */
export function spareStreams(session: ServerHttp2Session): void {
  if (!internalsAreOff) spare(session);
}

/** @param stream what a session has emitted as `stream` */
export function openedStream(stream: object): OpenedStream {
  if (stream instanceof BareStream) return stream;
  learn(stream as ServerHttp2Stream);
  return new WholeStream(stream as ServerHttp2Stream);
}

class WholeStream implements OpenedStream {
  readonly made: ServerHttp2Stream;
  owner: StreamOwner | undefined = undefined;

  constructor(stream: ServerHttp2Stream) {
    this.made = stream;
    // A session that its client has broken destroys its streams with an error, which must not escape.
    stream.on('error', ignore);
  }

  get handle(): StreamHandle | undefined {
    return handleOf(this.made);
  }

  get isOver(): boolean {
    return this.made.destroyed || this.made.closed;
  }

  get errorCode(): number {
    return this.made.rstCode ?? 0;
  }

  make(): ServerHttp2Stream {
    return this.made;
  }

  destroy(): void {
    this.made.destroy();
  }
}

function ignore(): void {}
