/** What tsgun keeps on a client's socket: see `socket.ts`. */

import type { IncomingMessage } from 'node:http';
import { ClientGone } from '../../http/errors.ts';
import type { Exchange, Transport, Tunnel } from '../../http/exchange.ts';

/** What such a socket knows beside what Node's do. */
export interface SocketState {
  /** Cut along with it, as long as there is one. */
  transport: Transport | undefined;
  /** Whose body has not come yet. */
  request: IncomingMessage | undefined;
  /** What is written if the server ends before the connection does. */
  farewell: Buffer | undefined;
  /** Set from an upgrade on. */
  tunnel: Tunnel | undefined;
  /** See `own-answer.ts`. */
  takeOver: (() => Exchange | undefined) | undefined;
  /** The request that the app has answered on the socket, past its response. */
  answered: Exchange | undefined;
  /** Bytes of the connection, once it has ended. */
  counted: { readonly read: number; readonly written: number } | undefined;
  /** Whether the upgrade has been answered. */
  hasSpoken: boolean;
  /** Called when the tunnel takes bytes again. */
  written: ((error?: Error | null) => void) | undefined;
  /** The client has closed its half, before an upgrade: the connection ends by itself. What waits for that, in turn. */
  isDeparting: boolean;
  finish: (() => void) | undefined;
  close: (() => void) | undefined;
  /** Of `setTimeout`. */
  timer: NodeJS.Timeout | undefined;
  /** Bytes of the current answer that are held back for what follows. */
  unsent: number;
  /** Requests so far, where they are counted. */
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
    close: undefined,
    timer: undefined,
    unsent: 0,
    requests: 0,
  };
}

/** The connection has ended: the response is closed. */
export function endOwnAnswer(exchange: Exchange | undefined): void {
  exchange?.abort(new ClientGone('the app has answered on the socket'));
}
