/** What a response has: Node's names for the steps between `write` and the socket, and what we keep beside them. */

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
  /** What the app has announced, and `strictContentLength` holds it to. */
  _contentLength: number | null;
  socket: Socket | null;
  _storeHeader: (firstLine: string, headers: unknown) => void;
  _send: (data: Piece, encoding?: BufferEncoding | null, callback?: Done, length?: number) => boolean;
  _writeRaw: (data: Piece, encoding?: BufferEncoding | null, callback?: Done) => boolean;
  _finish: () => void;
  /** Documented, and missing in the types. */
  getRawHeaderNames(): string[];
}

export const areHintsUnchecked = !('writeInformation' in ServerResponse.prototype);
export const { outHeaders, needDrain } = responseSymbols(
  withoutNews(() => new ServerResponse({ method: 'GET' } as Request)),
);
export const seam = (response: object) => response as Seam & { [name: symbol]: unknown };

/** What a response has beyond Node's. */
export class Answer {
  readonly exchange: Exchange;
  status = '';
  fields: readonly Field[] = [];
  /** The first piece, until it is known whether others follow; as Node does, at most until the next tick. */
  pending: Piece | undefined = undefined;
  pendingDone: Done = undefined;
  /** Whether a write returned false, and no `drain` has followed. */
  isStalled = false;
  finishDone: Done = undefined;
  /** Whether names and values of the early hints that are being written have been looked at. */
  areHintsChecked = !areHintsUnchecked;
  /** Called when the answer is complete, or will never be. */
  onSettled: (() => void) | undefined = undefined;
  /** Fields of which several values go out as one, in small letters. */
  uniqueHeaders: ReadonlySet<string> | undefined = undefined;
  /** What the listener has returned that was called by an event. */
  result: unknown = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }
}

/** A response, for those who see to a part of it. */
export interface OwnResponse extends ServerResponse<Request> {
  readonly [own]: Answer;
}
