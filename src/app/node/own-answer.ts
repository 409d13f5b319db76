/** An app that writes an answer on its request's socket, past the response: in bytes of its own, such as at a timeout. */

import type { Exchange } from '../../http/exchange.ts';
import { own } from './request.ts';
import type { OwnResponse } from './response-parts.ts';
import type { ClientSocket } from './socket.ts';

/**
 * The connection is the socket's from then on, and ends with that answer. What the app does with the response goes nowhere.
 * @returns the request; undefined where the answer has begun, or the connection cannot be given away
 */
export function takeForOwnAnswer(socket: ClientSocket): Exchange | undefined {
  const answer = (socket._httpMessage as OwnResponse | null)?.[own];
  if (answer === undefined || answer.pending !== undefined) return undefined;
  const { exchange } = answer;
  const { transport } = exchange;
  if (exchange.isStarted || exchange.isEnded || exchange.isGone || transport.takeBroken === undefined) return undefined;
  socket.attach(transport.takeBroken(exchange, socket), undefined);
  exchange.mute();
  return exchange;
}
