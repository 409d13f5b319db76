/**
 * A Readable that is made when it is first looked at: every method of one looks at `_readableState` first. An accessor of its
 * own for a stream that hardly any app reads would cost a tenth of a small request.
 */

import { Readable } from 'node:stream';
import { internalsAreOff } from './switch.ts';

const source = Symbol('source');

/**
 * @param Stream a class of streams whose constructor does nothing but what `begin` does
 * @param begin called once with a stream that is looked at
 * @returns what makes them; undefined if Node keeps the state of a stream elsewhere
 */
export function lazyReadable<Source, S extends Readable>(
  Stream: { readonly prototype: S },
  begin: (stream: S, source: Source) => void,
): ((source: Source) => S) | undefined {
  if (internalsAreOff || !Object.hasOwn(new Readable(), '_readableState')) return undefined;
  class Unseen {
    readonly [source]: Source;

    constructor(from: Source) {
      this[source] = from;
    }
  }
  Object.setPrototypeOf(Unseen.prototype, Stream.prototype);
  Object.defineProperties(Unseen.prototype, {
    constructor: { value: Stream, configurable: true },
    _readableState: {
      configurable: true,
      get(this: S & Unseen): unknown {
        if (!Object.hasOwn(this, source)) return undefined;
        // It is a function, and takes the object that it is called on.
        (Readable as unknown as (this: Readable) => void).call(this);
        begin(this, this[source]);
        return Object.hasOwn(this, '_readableState')
          ? (this as { _readableState?: unknown })._readableState
          : undefined;
      },
      set(this: S, value: unknown) {
        Object.defineProperty(this, '_readableState', { value, writable: true, enumerable: true, configurable: true });
      },
    },
  });
  return (from) => new Unseen(from) as unknown as S;
}
