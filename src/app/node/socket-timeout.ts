/** `socket.setTimeout` of a client's socket, as `node:http` has it. */

import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import type { NodeServer } from '../detect.ts';
import { own, type SocketState } from './socket-state.ts';

interface TimedSocket extends Duplex {
  timeout: number;
  readonly server: NodeServer;
  readonly _httpMessage: ServerResponse | null;
  readonly [own]: SocketState;
}

/** @param ms 0 ends the limit */
export function limitSilence(socket: TimedSocket, ms: number, callback: (() => void) | undefined): void {
  const state = socket[own];
  clearTimeout(state.timer);
  socket.timeout = ms;
  if (callback !== undefined) {
    if (ms === 0) socket.off('timeout', callback);
    else socket.once('timeout', callback);
  }
  state.timer = ms > 0 ? setTimeout(() => expire(socket), ms).unref() : undefined;
}

/** Until an upgrade, a timeout that no listener but the socket's own takes closes the connection. */
function expire(socket: TimedSocket): void {
  const { request, tunnel } = socket[own];
  if (tunnel !== undefined) return void socket.emit('timeout');
  const isRequestTold = request !== undefined && !request.complete && request.emit('timeout', socket);
  const isResponseTold = socket._httpMessage?.emit('timeout', socket) ?? false;
  const isServerTold = socket.server.emit('timeout', socket);
  if (!isRequestTold && !isResponseTold && !isServerTold) socket.destroy();
  socket.emit('timeout');
}
