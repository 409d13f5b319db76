/** Callbacks that wait until what was written is sent. */

import { getSystemErrorName } from 'node:util';

/** Called once; with an error if it will never be sent. */
export type Taken = (error?: Error) => void;

/** Calls each, in order and in a later tick: what an app does then may fail, and must not disturb the wire. */
export function tellTaken(callbacks: readonly Taken[] | undefined, error: Error | undefined): void {
  if (callbacks === undefined) return;
  for (const callback of callbacks) process.nextTick(callback, error);
}

/** The same list with one more callback, or a new one. */
export function withTaken(callbacks: Taken[] | undefined, callback: Taken): Taken[] {
  if (callbacks === undefined) return [callback];
  callbacks.push(callback);
  return callbacks;
}

/** An error as Node makes it. @param status libuv's, negative */
export function wireError(syscall: 'read' | 'write', status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}

export function writeError(status: number): NodeJS.ErrnoException {
  return wireError('write', status);
}

/** libuv's UV_EOF, the same on every system. */
export const endOfFile = -4095;

/** libuv's UV_ECANCELED: the connection was closed ahead of it. */
export const canceled = -125;
