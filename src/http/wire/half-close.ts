/** Closes this half of a connection, which still reads: libuv sends a FIN behind all that was written. */

import type { Binding, RawHandle } from '../../node/stream-binding.ts';
import { binding } from './write-requests.ts';

const { ShutdownWrap } = binding ?? ({} as Binding);

export class HalfClose {
  isUnderWay = false;
  isDone = false;
  private callbacks: (() => void)[] = [];

  /** @param done is called at `tell` */
  await(done: (() => void) | undefined): void {
    if (done !== undefined) this.callbacks.push(done);
  }

  /** @param onEnd is told whether it succeeded */
  begin(handle: RawHandle, onEnd: (isShut: boolean) => void): void {
    this.isUnderWay = true;
    const request = new ShutdownWrap();
    request.oncomplete = (status) => {
      this.isUnderWay = false;
      this.isDone = status >= 0;
      onEnd(this.isDone);
    };
    if (handle.shutdown(request) !== 0) onEnd(false);
  }

  /** The half is closed, or the whole connection is. */
  tell(): void {
    for (const done of this.callbacks.splice(0)) done();
  }
}

/** Closes a connection with a reset, if Node and the state of its own half allow it. */
export function reset(handle: RawHandle, halfClose: HalfClose | undefined, onClosed: () => void): void {
  // libuv refuses while the shutdown is under way, for one turn of the loop; after that Node would not close it either.
  if (handle.reset === undefined || halfClose?.isUnderWay === true) handle.close(onClosed);
  else handle.reset(onClosed);
}
