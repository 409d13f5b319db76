/** For an app that writes an answer to its request's socket instead of the response, in its own bytes, such as at a timeout. */

import type { Exchange } from '../../http/exchange.ts';
import { own } from './request.ts';
import type { OwnResponse } from './response-parts.ts';
import type { ClientSocket } from './socket.ts';

/**
 * The connection then belongs to the socket, and ends with that answer. What the app writes to the response is lost.
 * @returns the request; undefined if its answer has begun, or the connection cannot be taken over
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
