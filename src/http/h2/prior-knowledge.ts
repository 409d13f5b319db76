/**
 * HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3): a client that may do so is known by the first bytes of its
 * connection. A client that sends anything else speaks HTTP/1.1.
 */

import { Socket } from 'node:net';
import { ConnectionHandle } from '../../node/handles.ts';
import { HttpError } from '../errors.ts';
import type { Trusted } from '../forwarding/trust.ts';
import { defaultTimeouts, type Timeouts } from '../limits.ts';
import { plainAnswer } from '../plain-answer.ts';
import { takeHeaderAhead } from '../proxy-protocol/ahead.ts';
import { type Proxied, ProxyHeaderFilter, type ProxyProtocol } from '../proxy-protocol/proxied.ts';
import { DeferredWire } from '../wire/deferred-wire.ts';
import { type OpenWire, openWire, socketOf } from '../wire/open-wire.ts';
import { StreamWire } from '../wire/stream-wire.ts';

/** The bytes with which every connection of HTTP/2 begins, and no other (RFC 9113 §3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * @param withHttp1 whether HTTP/1.1 is spoken too
 * @param speak takes a connection whose client speaks HTTP/2
 */
export function openKnowing(
  knowing: Trusted,
  proxyProtocol: ProxyProtocol | undefined,
  { headerMs }: Timeouts,
  withHttp1: boolean,
  speak: (connection: Proxied, socket: Socket) => void,
): OpenWire {
  return (incoming, connection) => {
    const isSocket = incoming instanceof ConnectionHandle || incoming instanceof Socket;
    const mayKnow = knowing.has(connection.ends.remote.address);
    const isExpected = proxyProtocol?.expects(connection.ends.remote.address) === true;
    const events = proxyProtocol === undefined ? connection : new ProxyHeaderFilter(connection, proxyProtocol);
    if (!isSocket || (withHttp1 && !mayKnow)) return openWire(incoming, events);
    const raw = socketOf(incoming);
    const wire = new DeferredWire(raw, isExpected ? connection : events);
    takeHeaderAhead(raw, connection, proxyProtocol, headerMs || defaultTimeouts.headerMs, () =>
      look(raw, (isHttp2) => {
        if (isHttp2 && mayKnow) wire.giveAway(() => speak(connection, raw));
        else if (withHttp1) wire.attach(raw, (events) => new StreamWire(raw, events));
        else raw.resume().end(plainAnswer(new HttpError(505, 'this port speaks HTTP/2 only')));
      }),
    );
    return wire;
  };
}

/** Calls back with whether it is HTTP/2. What was read is in the socket again. */
function look(raw: Socket, decide: (isHttp2: boolean) => void): void {
  let held: Buffer = Buffer.alloc(0);
  const onReadable = () => {
    const bytes = raw.read() as Buffer | null;
    if (bytes === null) return;
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const length = Math.min(held.length, preface.length);
    const isAlike = held.compare(preface, 0, length, 0, length) === 0;
    if (!isAlike || length === preface.length) stop(isAlike);
  };
  const onEnd = () => stop(false);
  const stop = (isHttp2: boolean) => {
    raw.off('readable', onReadable).off('end', onEnd);
    if (held.length > 0 && !raw.readableEnded) raw.unshift(held);
    // Removing a listener for `readable` takes the stream out of its paused mode only in the next tick.
    process.nextTick(() => raw.destroyed || decide(isHttp2));
  };
  raw.on('readable', onReadable).on('end', onEnd);
}
