/**
 * The first bytes of a client, before its handshake. Until its hello is complete, a client costs no more than its socket:
 * OpenSSL's memory for a connection is allocated only then.
 */

import type { Socket } from 'node:net';

/** The first byte of a TLS record that holds a handshake (RFC 8446 §5.1). */
const handshakeRecord = 0x16;
const recordHeadBytes = 5;
/** RFC 8446 §5.1. A longer record is not TLS; OpenSSL tells the client. */
const longestRecordBytes = 16 * 1024;

export interface HelloEvents {
  /** The hello is complete, and can be read from the socket. */
  takeHello(): void;
  /** The bytes are not a hello. */
  takeOther(bytes: Buffer): void;
}

/** Calls one of the two once; or neither, if the client leaves before that. */
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
