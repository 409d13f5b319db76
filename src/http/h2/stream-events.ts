/**
 * Passes the events of Node's stream to the request on it. Node keeps a stream for some garbage collections after its end,
 * and the listeners must not keep the request too. Without this, a third of the CPU time is garbage collection.
 */

import type { ServerHttp2Stream } from 'node:http2';
import type { StreamOwner } from '../../node/http2-streams.ts';

/** `takeClose` may be called twice. */
export interface StreamEvents extends StreamOwner {
  takeBody(bytes: Buffer): void;
  takeTrailers(raw: readonly string[]): void;
  endBody(): void;
}

const owner = Symbol('tsgun');

interface Owned extends ServerHttp2Stream {
  [owner]?: StreamEvents | undefined;
}

/** @param hasBody whether one follows */
export function listen(stream: ServerHttp2Stream, events: StreamEvents, hasBody: boolean): void {
  (stream as Owned)[owner] = events;
  stream.on('aborted', takeClose);
  stream.on('close', takeClose);
  if (!hasBody) return;
  stream.on('data', takeBody);
  stream.on('trailers', takeTrailers);
  stream.on('end', endBody);
}

/** Passes no more events, and keeps the request no longer. */
export function forget(stream: ServerHttp2Stream): void {
  (stream as Owned)[owner] = undefined;
}

function takeClose(this: Owned): void {
  this[owner]?.takeClose();
}

function takeBody(this: Owned, bytes: Buffer): void {
  this[owner]?.takeBody(bytes);
}

function takeTrailers(this: Owned, _fields: object, _flags: number, raw: readonly string[] = []): void {
  this[owner]?.takeTrailers(raw);
}

function endBody(this: Owned): void {
  this[owner]?.endBody();
}
