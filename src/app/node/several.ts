/** Warns of long polling with Socket.IO, which fails where several workers or threads share the clients. */

import type { Exchange } from '../../http/exchange.ts';
import type { NodeServer } from '../detect.ts';
import type { Handler, HandlerOptions } from '../handler.ts';

const scatteredPolls =
  "app: a client of Socket.IO or Engine.IO uses long polling, and the requests of one session reach different workers, which answer 400: set transports: ['websocket'] in the client and the server, or run one async worker (docs/several-workers.md)";

/** @param server the server that has the listeners for upgrades, if there is one */
export function warnOfSeveral(
  handle: Handler,
  server: NodeServer | undefined,
  { multithread, multiprocess, onWarning }: HandlerOptions,
): Handler {
  if (server === undefined || onWarning === undefined) return handle;
  if (!(multithread || multiprocess) || !hasEngine(server)) return handle;
  let hasWarned = false;
  const watched = (exchange: Exchange) => {
    if (!hasWarned && isLaterPoll(exchange.head.query)) {
      hasWarned = true;
      onWarning(scatteredPolls);
    }
    return handle(exchange);
  };
  return Object.assign(watched, { extras: handle.extras });
}

/** Words in the listeners of Engine.IO, and in Socket.IO's listener in front of them, which serves its client's files. */
const wordsOfEngine = /intercepting request for path|destroyUpgradeTimeout|CLIENT_FILES\.has/;

/** The listeners are all that can be reached of an Engine.IO server from the server that it is attached to. */
function hasEngine(server: NodeServer): boolean {
  return [...server.listeners('request'), ...server.listeners('upgrade')].some((listener) =>
    wordsOfEngine.test(Function.prototype.toString.call(listener)),
  );
}

/** The query names a session: the server allows polling, and has begun one. */
function isLaterPoll(query: string): boolean {
  return query.includes('transport=polling') && query.includes('sid=');
}
