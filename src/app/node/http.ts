/** Node's classes for requests and answers, loaded without the rest of `node:http`. */

import type * as Http from 'node:http';
import { httpModule } from '../../node/builtin.ts';

export const { IncomingMessage, Server, ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } =
  httpModule();
export type IncomingMessage = Http.IncomingMessage;
export type Server = Http.Server;
export type ServerResponse<Request extends Http.IncomingMessage = Http.IncomingMessage> = Http.ServerResponse<Request>;
