/** Chooses the wire of a connection: over libuv's handle if Node allows it, else over a stream. */

import { Socket } from 'node:net';
import { ConnectionHandle } from '../../node/handles.ts';
import type { RawHandle } from '../../node/stream-binding.ts';
import type { Proxied } from '../proxy-protocol/proxied.ts';
import { HandleWire } from './handle-wire.ts';
import { StreamWire } from './stream-wire.ts';
import type { Incoming, Wire, WireEvents } from './wire.ts';
import { canUseHandles } from './write-requests.ts';

/** How a server makes the wires of its connections. */
export type OpenWire = (incoming: Incoming, connection: Proxied) => Wire;

/** Begins to read. */
export function openWire(incoming: Incoming, events: WireEvents): Wire {
  if (!(incoming instanceof ConnectionHandle)) return new StreamWire(incoming, events);
  const handle = incoming.handle as unknown as RawHandle;
  if (canUseHandles) return new HandleWire(handle, events);
  return new StreamWire(new Socket({ handle, allowHalfOpen: true } as never), events);
}

/** @throws if it is no socket */
export function socketOf(incoming: Incoming): Socket {
  if (incoming instanceof ConnectionHandle)
    return new Socket({ handle: incoming.handle, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0]);
  if (incoming instanceof Socket) return Object.assign(incoming, { readableFlowing: null });
  throw new Error('this needs a socket');
}
