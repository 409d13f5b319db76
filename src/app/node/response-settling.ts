/** What follows when an app has ended its answer, or has failed: its events and callbacks, and the close of the response. */

import { abortRequest, endRequest, own } from './request.ts';
import { type OwnResponse, seam } from './response-parts.ts';
import type { ClientSocket } from './socket.ts';

/** The answer is complete. The app's events and callbacks wait until it is out. */
export function settle(response: OwnResponse): void {
  const { exchange, onSettled } = response[own];
  onSettled?.();
  // It never was complete: `close` reports that when the connection has ended.
  if (exchange.isGone) return;
  if (exchange.transport.pendingBytes === 0) return conclude(response);
  // Nobody reads what the client still sends of the body.
  if (!response.req.complete) endRequest(response.req);
  exchange.transport.whenTaken((error) => conclude(response, error));
}

/**
 * Does what node:http does once an answer is out.
 * @param error set if the client left before that: there is no `finish` then, as in Node 24 and later
 */
function conclude(response: OwnResponse, error?: Error): void {
  const { finishDone } = response[own];
  if (error === undefined) {
    finishDone?.();
    if (endRequest(response.req)) return void process.nextTick(close, response);
  } else {
    const socket = seam(response).socket as ClientSocket | null;
    if (socket !== null) socket._hadError = true;
    finishDone?.(error);
    // Before Node 24 it would be computed from the socket's state.
    Object.defineProperty(response, 'writableFinished', { value: false, configurable: true });
    abortRequest(response.req);
  }
  close(response);
}

/** The answer is complete, or nobody can receive it. */
export function close(response: OwnResponse): void {
  const parts = seam(response);
  if (parts._closed) return;
  detach(response);
  response.destroyed = true;
  parts._closed = true;
  response.emit('close');
  response[own].onSettled?.();
}

/**
 * The connection goes on to the next request. Node does this in a listener too: `end` may emit `finish` itself in a later
 * tick, and since version 24 its callbacks are called before.
 */
export function detachAtFinish(this: OwnResponse): void {
  detach(this);
}

function detach(response: OwnResponse): void {
  const parts = seam(response);
  const socket = parts.socket as ClientSocket | null;
  if (socket?._httpMessage === response && !response[own].exchange.isGone) {
    socket._httpMessage = null;
    socket.setTimeout(0);
  }
  if (response.writableEnded) parts.socket = null;
}

/** An answer that breaks the rules of HTTP is a failure of the app. What the app writes afterwards is discarded. */
export function attempt(response: OwnResponse, action: () => void): void {
  try {
    action();
  } catch (error) {
    fail(response, error);
  }
}

/** Later writes of the app report that nobody takes them. */
export function fail(response: OwnResponse, error: unknown): void {
  const { exchange } = response[own];
  exchange.fail(error);
  // Tracers and access logs read it when the response is closed.
  if (exchange.isEnded && exchange.status !== '') response.statusCode = Number.parseInt(exchange.status, 10);
  exchange.loseBody();
  process.nextTick(close, response);
}
