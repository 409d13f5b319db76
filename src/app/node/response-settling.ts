/** What follows once an app has ended its answer, or has failed: who hears of it, and when the response is closed. */

import { abortRequest, endRequest, own } from './request.ts';
import { type OwnResponse, seam } from './response-parts.ts';
import type { ClientSocket } from './socket.ts';

/** The answer is complete. The app's events and callbacks wait until it is out. */
export function settle(response: OwnResponse): void {
  const { exchange, onSettled } = response[own];
  onSettled?.();
  // It never was: `close` says so, when the connection has ended.
  if (exchange.isGone) return;
  if (exchange.transport.pendingBytes === 0) return conclude(response);
  // What its client still sends is not to wait for what it has not read.
  if (!response.req.complete) endRequest(response.req);
  exchange.transport.whenTaken((error) => conclude(response, error));
}

/**
 * What node:http does once an answer is out.
 * @param error where the client has left ahead of that: there is no `finish`, as since Node 24
 */
function conclude(response: OwnResponse, error?: Error): void {
  const { finishDone } = response[own];
  if (error === undefined) {
    finishDone?.();
    endRequest(response.req);
  } else {
    const socket = seam(response).socket as ClientSocket | null;
    if (socket !== null) socket._hadError = true;
    finishDone?.(error);
    // Before version 24, it follows from what the socket has left.
    Object.defineProperty(response, 'writableFinished', { value: false, configurable: true });
    abortRequest(response.req);
  }
  close(response);
}

/** The answer is complete, or nobody is there to take it. */
export function close(response: OwnResponse): void {
  const parts = seam(response);
  if (parts._closed) return;
  const socket = parts.socket as ClientSocket | null;
  if (socket?._httpMessage === response && !response[own].exchange.isGone) {
    socket._httpMessage = null;
    socket.setTimeout(0);
  }
  if (response.writableEnded) parts.socket = null;
  response.destroyed = true;
  parts._closed = true;
  response.emit('close');
  response[own].onSettled?.();
}

/** What breaks the rules of HTTP is a failure of the app; what it does afterwards goes nowhere. */
export function attempt(response: OwnResponse, action: () => void): void {
  try {
    action();
  } catch (error) {
    fail(response, error);
  }
}

/** Who still writes to it hears that nobody takes it any more. */
export function fail(response: OwnResponse, error: unknown): void {
  const { exchange } = response[own];
  exchange.fail(error);
  // Tracers and access logs read it when the response is closed.
  if (exchange.isEnded && exchange.status !== '') response.statusCode = Number.parseInt(exchange.status, 10);
  exchange.loseBody();
  process.nextTick(close, response);
}
