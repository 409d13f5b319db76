/**
 * What an app has set on its `http.Server`, or listens for there. What can be is honoured; what is a setting of tsgun, or
 * cannot be, is named in a warning: nothing is ignored without a word.
 */

import type { Server } from 'node:http';
import { symbolOf } from '../../node/objects.ts';
import type { NodeServer } from '../detect.ts';

/** What Node gives each response of a server. */
export interface ResponseOptions {
  readonly highWaterMark: number;
  readonly rejectNonStandardBodyWrites: boolean;
}

export interface Honoured {
  readonly joinsDuplicates: boolean;
  /** Undefined where they are the usual ones. */
  readonly responseOptions: ResponseOptions | undefined;
}

/** What decides here in their place. */
const remedies: Record<string, string> = {
  keepAliveTimeout: 'set --keep-alive',
  requestTimeout: 'set --body-timeout, or --request-timeout for the answer',
  headersTimeout: 'set --header-timeout',
  maxHeadersCount: 'set --limit-request-fields',
  maxHeaderSize: 'set --limit-request-field-size',
  maxConnections: 'set --worker-connections',
  maxRequestsPerSocket: 'connections are bounded by --keep-alive',
  requireHostHeader: 'HTTP/1.1 requests without Host are answered 400 (RFC 9112 §3.2)',
  insecureHTTPParser: 'requests are always read strictly',
};

const unheard: Record<string, string> = {
  clientError: 'what is no valid request is answered by tsgun',
  connect: 'CONNECT is given to the listeners for requests, or refused',
  checkExpectation: 'expectations other than 100-continue are answered 417',
  dropRequest: 'set --worker-connections',
  drop: 'set --worker-connections',
};

/** @param usual a server of Node's on which nobody has set anything */
export function readOptions(server: NodeServer, usual: NodeServer): Honoured {
  const own = server as Partial<ResponseOptions> & Partial<Server> & { joinDuplicateHeaders?: boolean };
  const { highWaterMark, rejectNonStandardBodyWrites = false } = own;
  const isUsual = highWaterMark === (usual as Partial<ResponseOptions>).highWaterMark && !rejectNonStandardBodyWrites;
  return {
    joinsDuplicates: own.joinDuplicateHeaders === true,
    responseOptions:
      isUsual || highWaterMark === undefined ? undefined : { highWaterMark, rejectNonStandardBodyWrites },
  };
}

/** Says what has no effect, and what to do about it. */
export function warningsOf(server: NodeServer, usual: NodeServer): string[] {
  const warnings: string[] = [];
  const warn = (what: string, remedy: string) => warnings.push(`app: ${what} has no effect here: ${remedy}`);
  for (const [name, remedy] of Object.entries(remedies)) {
    const value: unknown = Reflect.get(server, name);
    if (name in server && value !== Reflect.get(usual, name)) warn(`${name} of the http.Server (${value})`, remedy);
  }
  for (const [event, remedy] of Object.entries(unheard))
    if (server.listenerCount(event) > usual.listenerCount(event))
      warn(`the http.Server's listener for ${event}`, remedy);
  for (const name of ['IncomingMessage', 'ServerResponse']) {
    const symbol = symbolOf(server, name);
    if (symbol !== undefined && Reflect.get(server, symbol) !== Reflect.get(usual, symbol))
      warn(
        `the http.Server's own class for ${name}`,
        "add what it adds in a listener for requests, or to Node's class",
      );
  }
  return warnings;
}
