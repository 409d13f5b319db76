/** What a fetch app gets beside the request: the client's address, as in Deno and in @hono/node-server, and `waitUntil`. */

import type { Exchange } from '../../http/exchange.ts';
import { type IncomingMessage, Server } from '../node/http.ts';
import { Request as NodeRequest } from '../node/request.ts';
import { ClientSocket } from '../node/socket.ts';

/** In Hono it is `c.env`, and `c.executionCtx` too. */
export interface FetchInfo {
  readonly remoteAddr: { readonly transport: 'tcp' | 'unix'; readonly hostname: string; readonly port: number };
  /** The request as `node:http` would give it. Code that needs the body reads it from the `Request`. */
  readonly incoming: IncomingMessage;
  /** Lets work continue after the answer: a worker that leaves waits for it, up to `--graceful-timeout`. */
  waitUntil(work: PromiseLike<unknown>): void;
  /** For apps of edge runtimes, which call it. It does nothing here. */
  passThroughOnException(): void;
}

/** The server that Node's sockets name, for apps that look at it. It never listens. */
let standIn: Server | undefined;

export class Info implements FetchInfo {
  readonly #exchange: Exchange;
  #incoming: IncomingMessage | undefined = undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get remoteAddr(): FetchInfo['remoteAddr'] {
    const { address: hostname, port } = this.#exchange.ends.remote;
    return { transport: hostname === '' ? 'unix' : 'tcp', hostname, port: Number(port) };
  }

  get incoming(): IncomingMessage {
    this.#incoming ??= new NodeRequest(this.#exchange, socketOf(this.#exchange));
    return this.#incoming;
  }

  waitUntil(work: PromiseLike<unknown>): void {
    this.#exchange.waitUntil(work);
  }

  passThroughOnException(): void {}
}

/** One for each connection, closed with it. */
function socketOf({ transport }: Exchange): ClientSocket {
  if (transport.attachment instanceof ClientSocket) return transport.attachment;
  standIn ??= new Server();
  const socket = new ClientSocket(transport, standIn);
  transport.attachment = socket;
  return socket;
}
