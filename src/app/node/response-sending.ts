/** Sends the pieces of a response's body, and its head before them. The first piece waits for the next tick. */

import type { Piece } from '../../http/exchange.ts';
import { own } from './request.ts';
import { type Done, needDrain, nobody, type OwnResponse, seam } from './response-parts.ts';
import { attempt } from './response-settling.ts';
import type { ClientSocket } from './socket.ts';

/** Sends a piece of the body. It is empty at the end, or if only the head is to be flushed. */
export function send(this: OwnResponse, data: Piece, encoding?: BufferEncoding | null, callback?: Done): boolean {
  const parts = seam(this);
  const isFirst = !parts._headerSent;
  parts._headerSent = true;
  const socket = parts.socket as ClientSocket | null;
  socket?.noteActivity();
  if (data.length === 0) {
    // Only Node's `end()` passes latin1, and with it the function to call once the answer is out.
    if (encoding === 'latin1' && callback) this[own].finishDone = callback;
    else {
      attempt(this, () => flushHead(this));
      if (callback) process.nextTick(callback);
    }
    return true;
  }
  const isBytes = typeof data !== 'string' || !encoding || encoding === 'utf8' || encoding === 'utf-8';
  const piece = isBytes ? data : Buffer.from(data as string, encoding as BufferEncoding);
  const done = callback === nobody ? undefined : callback;
  if (isFirst) {
    this[own].pending = piece;
    this[own].pendingDone = done;
    socket?.noteUnsent(piece.length);
    process.nextTick(flushPending, this);
    this[own].isStalled = piece.length >= this.writableHighWaterMark;
  } else {
    flushPending(this);
    pass(this, piece, done);
  }
  return !this[own].isStalled && socket?.destroyed !== true;
}

export function flushPending(response: OwnResponse): void {
  const { pending, pendingDone } = response[own];
  if (pending === undefined) return;
  takePending(response);
  pass(response, pending, pendingDone);
}

export function takePending(response: OwnResponse): void {
  response[own].pending = undefined;
  (seam(response).socket as ClientSocket | null)?.noteUnsent(0);
}

function pass(response: OwnResponse, piece: Piece, callback: Done): void {
  const { exchange } = response[own];
  // The request has failed, and was answered or cut.
  if (exchange.isEnded || exchange.isGone) return notify(response, callback);
  attempt(response, () => {
    begin(response);
    const isTaking = exchange.write(piece);
    if (!isTaking && !exchange.isGone) {
      response[own].isStalled = true;
      exchange.onDrain ??= () => {
        exchange.onDrain = undefined;
        drain(response);
      };
    } else if (response[own].isStalled) process.nextTick(drain, response);
  });
  notify(response, callback);
}

function drain(response: OwnResponse): void {
  if (!response[own].isStalled) return;
  response[own].isStalled = false;
  if (needDrain !== undefined) seam(response)[needDrain] = false;
  if (!response.writableEnded && !response.destroyed) response.emit('drain');
}

/**
 * Calls back when what was written so far is out, or never will be; in a later tick, because a piece that is held back is
 * written by then.
 */
export function notify(response: OwnResponse, callback: Done): void {
  if (typeof callback === 'function') process.nextTick(callWhenOut, response, callback);
}

function callWhenOut(response: OwnResponse, callback: (error?: Error | null) => void): void {
  const { exchange } = response[own];
  const { transport } = exchange;
  if (exchange.isGone && !exchange.isEnded) callback(destroyedError());
  else if (transport.pendingBytes === 0) callback();
  else transport.whenTaken(callback);
}

function destroyedError(): Error {
  return Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' });
}

export function begin(response: OwnResponse): void {
  const { exchange, status, fields } = response[own];
  if (exchange.status === '') exchange.begin(status, fields);
}

function flushHead(response: OwnResponse): void {
  flushPending(response);
  begin(response);
  response[own].exchange.sendHead();
}
