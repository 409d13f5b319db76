/** The parts of a response: Node's names for the steps between `write` and the socket, and our own state. */

import type { Socket } from 'node:net';
import type { Exchange, Piece } from '../../http/exchange.ts';
import type { Field } from '../../http/h1/writer.ts';
import { responseSymbols, withoutNews } from '../../node/objects.ts';
import { ServerResponse } from './http.ts';
import { own, type Request } from './request.ts';

export type Done = ((error?: Error | null) => void) | null | undefined;

/** Node's names for the steps between `write` and the socket. */
export interface Seam {
  _header: string | null;
  _headerSent: boolean;
  _trailer: string;
  _closed: boolean;
  /** The Content-Length that the app has set, which `strictContentLength` enforces. */
  _contentLength: number | null;
  socket: Socket | null;
  _storeHeader: (firstLine: string, headers: unknown) => void;
  _send: (data: Piece, encoding?: BufferEncoding | null, callback?: Done, length?: number) => boolean;
  _writeRaw: (data: Piece, encoding?: BufferEncoding | null, callback?: Done) => boolean;
  _finish: () => void;
  /** Documented, but missing in the types. */
  getRawHeaderNames(): string[];
}

export const areHintsUnchecked = !('writeInformation' in ServerResponse.prototype);
export const seam = (response: object) => response as Seam & { [name: symbol]: unknown };
const sample = withoutNews(() => new ServerResponse({ method: 'GET' } as Request));
export const { outHeaders, needDrain } = responseSymbols(sample);

/** What Node's `write` passes for a callback where the app has given none. */
export const nobody = callbackOf(sample);

function callbackOf(response: ServerResponse): Done {
  const given: Done[] = [];
  seam(response)._send = (_data, _encoding, callback) => {
    given.push(callback);
    return true;
  };
  // Not `end`: since version 24 it passes its own callback with the last piece. A chunk goes out in four parts.
  response.write('x');
  return given.at(-1);
}

/** Our own state of a response. */
export class Answer {
  readonly exchange: Exchange;
  status = '';
  fields: readonly Field[] = [];
  /** The first piece of the body, until it is known whether others follow: until the next tick at most, as in Node. */
  pending: Piece | undefined = undefined;
  pendingDone: Done = undefined;
  /** Whether a write returned false, and `drain` has not followed. */
  isStalled = false;
  finishDone: Done = undefined;
  /** Whether names and values of the current early hints were checked. */
  areHintsChecked = !areHintsUnchecked;
  /** Called when the answer is complete, or will never be. */
  onSettled: (() => void) | undefined = undefined;
  /** Fields whose values are joined to one, in lower case. */
  uniqueHeaders: ReadonlySet<string> | undefined = undefined;
  /** What the listener of the event `request` has returned. */
  result: unknown = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }
}

/** A response, as the files that handle its parts see it. */
export interface OwnResponse extends ServerResponse<Request> {
  readonly [own]: Answer;
}
