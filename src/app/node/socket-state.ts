/** What tsgun keeps on a client's socket: see `socket.ts`. */

import type { IncomingMessage } from 'node:http';
import { ClientGone } from '../../http/errors.ts';
import type { Exchange, Transport, Tunnel } from '../../http/exchange.ts';

/** Our own state of a client's socket. */
export interface SocketState {
  /** Cut together with the socket, if there is one. */
  transport: Transport | undefined;
  /** The request whose body has not come completely. */
  request: IncomingMessage | undefined;
  /** Written to the client if the server ends before the connection does. */
  farewell: Buffer | undefined;
  /** Set once the connection is upgraded. */
  tunnel: Tunnel | undefined;
  /** See `own-answer.ts`. */
  takeOver: (() => Exchange | undefined) | undefined;
  /** The request that the app has answered on the socket instead of the response. */
  answered: Exchange | undefined;
  /** Bytes of the connection, once it has ended. */
  counted: { readonly read: number; readonly written: number } | undefined;
  /** Whether the upgrade has been answered. */
  hasSpoken: boolean;
  /** Called when the tunnel takes bytes again. */
  written: ((error?: Error | null) => void) | undefined;
  /** The client has closed its half before an upgrade, and the connection will end. Then come, in turn, what waits for that: */
  isDeparting: boolean;
  finish: (() => void) | undefined;
  close: (() => void) | undefined;
  /** The connection has failed, and its end follows. */
  hasFailed: boolean;
  /** Of `setTimeout`. */
  timer: NodeJS.Timeout | undefined;
  /** Bytes of the current answer that are held back until more follows. */
  unsent: number;
  /** Requests so far, if they are counted. */
  requests: number;
}

/** Our state has a symbol for its name: an app may keep its own data on a socket, under any string. */
export const own = Symbol('tsgun.socket');

export function startOf(transport: Transport, takeOver: SocketState['takeOver']): SocketState {
  return {
    transport,
    request: undefined,
    farewell: undefined,
    tunnel: undefined,
    takeOver,
    answered: undefined,
    counted: undefined,
    hasSpoken: false,
    written: undefined,
    isDeparting: false,
    finish: undefined,
    hasFailed: false,
    close: undefined,
    timer: undefined,
    unsent: 0,
    requests: 0,
  };
}

/** The connection has ended: closes the response. */
export function endOwnAnswer(exchange: Exchange | undefined): void {
  exchange?.abort(new ClientGone('the app has answered on the socket'));
}
