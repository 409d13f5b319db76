/**
 * Makes a subclass of Duplex look like `net.Socket` without running its constructor, which needs a handle, and says what such a
 * socket calls things.
 */

import { isIPv6, Socket } from 'node:net';
import { Duplex } from 'node:stream';

export interface Passing<T> {
  /** How often the socket is corked. The stream's own count is passed. */
  readonly corked: (socket: T, corked: number) => number;
  /** Bytes that wait outside the stream. */
  readonly untaken: (socket: T) => number;
}

export function standAsNetSocket<T extends Duplex>(prototype: T, { corked, untaken }: Passing<T>): void {
  // Libraries recognise a connection by `instanceof net.Socket`.
  Object.setPrototypeOf(prototype, Socket.prototype);
  // Node's own `_writev` would write to a handle.
  Object.defineProperty(prototype, '_writev', { value: null, writable: true, configurable: true });
  // `res.writableCorked` and `res.writableLength` read these. Defined here because a class cannot override properties of Node's
  // types with accessors.
  Object.defineProperty(prototype, 'writableCorked', {
    get(this: T) {
      return corked(this, Reflect.get(Duplex.prototype, 'writableCorked', this) as number);
    },
    configurable: true,
  });
  Object.defineProperty(prototype, 'writableLength', {
    get(this: T) {
      return untaken(this) + (Reflect.get(Duplex.prototype, 'writableLength', this) as number);
    },
    configurable: true,
  });
}

/** As `net.Socket` names the family of an address. */
export function family(address: string): string {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}
