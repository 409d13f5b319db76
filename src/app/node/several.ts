/** Warns of what fails where several workers or threads share the clients: the long polling of Socket.IO. */

import type { Exchange } from '../../http/exchange.ts';
import type { NodeServer } from '../detect.ts';
import type { Handler, HandlerOptions } from '../handler.ts';

const scatteredPolls =
  "app: a client of Socket.IO or Engine.IO uses long polling, and the requests of one session reach different workers, which answer 400: set transports: ['websocket'] in the client and the server, or run one async worker (docs/several-workers.md)";

/** @param server to which listeners for upgrades are added, if there is one */
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

/** Words in the listeners of Engine.IO, and in the one that Socket.IO puts in front to serve its client's files. */
const wordsOfEngine = /intercepting request for path|destroyUpgradeTimeout|CLIENT_FILES\.has/;

/** Nothing else of an Engine.IO server can be reached from the server that it is attached to. */
function hasEngine(server: NodeServer): boolean {
  return [...server.listeners('request'), ...server.listeners('upgrade')].some((listener) =>
    wordsOfEngine.test(Function.prototype.toString.call(listener)),
  );
}

/** With the session's name in it: the server allows polling, and has begun a session with it. */
function isLaterPoll(query: string): boolean {
  return query.includes('transport=polling') && query.includes('sid=');
}
