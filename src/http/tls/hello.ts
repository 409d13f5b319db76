/**
 * The first bytes of a client, ahead of its handshake. Until its hello is whole, a client costs no more than its socket: what
 * OpenSSL keeps of a connection is made then.
 */

import type { Socket } from 'node:net';

/** The first byte of a TLS record that holds a handshake (RFC 8446 §5.1). */
const handshakeRecord = 0x16;
const recordHeadBytes = 5;
/** RFC 8446 §5.1. A longer record is no TLS; OpenSSL says so to the client. */
const longestRecordBytes = 16 * 1024;

export interface HelloEvents {
  /** All of it has come, and lies in the socket. */
  takeHello(): void;
  /** What has come is none. */
  takeOther(bytes: Buffer): void;
}

/** Calls one of the two once, or none: a client that ends ahead of that is gone. */
export function awaitHello(socket: Socket, events: HelloEvents): void {
  let bytes: Buffer = Buffer.alloc(0);
  const onReadable = () => {
    const more = socket.read() as Buffer | null;
    if (more === null) return;
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    if (bytes[0] === handshakeRecord && !isWhole(bytes)) return;
    socket.off('readable', onReadable).off('end', onEnd);
    if (bytes[0] !== handshakeRecord) return events.takeOther(bytes);
    socket.unshift(bytes);
    // Removing a listener for `readable` takes the stream out of its paused mode only in the next tick.
    process.nextTick(() => socket.destroyed || events.takeHello());
  };
  const onEnd = () => socket.destroy();
  socket.on('readable', onReadable).on('end', onEnd);
}

function isWhole(bytes: Buffer): boolean {
  if (bytes.length < recordHeadBytes) return false;
  const length = bytes.readUInt16BE(3);
  return length > longestRecordBytes || bytes.length >= recordHeadBytes + length;
}
