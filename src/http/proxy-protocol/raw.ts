/** Takes the PROXY header off a raw connection, ahead of its app. */

import type { Socket } from 'node:net';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { isSurelyHeader, mayBeHeader, ProxyError, type ProxyHeader, readProxyHeader, type Version } from './header.ts';

/**
 * Reads the header, and leaves in the socket what follows. If the socket fails or ends before that, nothing is called.
 * @param onFailed called with the reason: no header, a bad one, or none within `ms`
 */
export function takeProxyHeader(
  socket: Socket,
  version: Version,
  ms: number,
  onHeader: (header: ProxyHeader) => void,
  onFailed: (why: string) => void,
): void {
  let held: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => fail('no PROXY header in time'), ms).unref();
  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', onEnd).off('close', stop);
  };
  const fail = (why: string) => {
    stop();
    onFailed(why);
  };
  const onEnd = () => fail('the connection ended ahead of its PROXY header');
  const read = () => {
    for (let bytes = socket.read() as Buffer | null; bytes !== null; bytes = socket.read() as Buffer | null)
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    let header: ProxyHeader | undefined;
    try {
      header = readProxyHeader(held, version);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return fail(error.message);
    }
    if (header === undefined) return;
    stop();
    const rest = held.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    // Removing a listener for `readable` takes the stream out of its paused mode only in the next tick.
    process.nextTick(onHeader, header);
  };
  socket.on('readable', read).once('end', onEnd).once('close', stop);
}

/**
 * Refuses a header of a peer that may send none. It cannot wait for the header, because the app may have to speak first. So
 * bytes are passed on as they come, and `onHeader` is called in place of the last byte that would make them a header.
 */
export function watchForHeader(socket: Socket, onHeader: () => void): void {
  const { push } = socket;
  let seen = Buffer.alloc(0);
  socket.push = (bytes: unknown, encoding?: BufferEncoding) => {
    if (bytes instanceof Uint8Array) {
      seen = Buffer.concat([seen, bytes.subarray(0, 16)]);
      if (isSurelyHeader(seen)) {
        socket.push = push;
        onHeader();
        return false;
      }
      if (!mayBeHeader(seen)) socket.push = push;
    }
    return push.call(socket, bytes, encoding);
  };
}
