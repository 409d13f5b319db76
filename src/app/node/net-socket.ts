/** Makes a class of Duplex pass for `net.Socket` without its constructor, which would want a handle. */

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export interface Passing<T> {
  /** How often it is corked, where the stream says `corked`. */
  readonly corked: (socket: T, corked: number) => number;
  /** Bytes that wait elsewhere than in the stream. */
  readonly untaken: (socket: T) => number;
}

export function standAsNetSocket<T extends Duplex>(prototype: T, { corked, untaken }: Passing<T>): void {
  // Libraries tell a connection by `instanceof net.Socket`.
  Object.setPrototypeOf(prototype, Socket.prototype);
  // Node's would write to a handle what was held together.
  Object.defineProperty(prototype, '_writev', { value: null, writable: true, configurable: true });
  // `res.writableCorked` and `res.writableLength` ask for these. Not in the class, where Node's types have properties.
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
