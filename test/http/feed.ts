/** Feeds bytes to the parser, cut in any way, and records what it made of them: with no socket, no server, no clock. */

import { HttpError } from '../../src/http/errors.ts';
import type { KnownHeads } from '../../src/http/h1/known-heads.ts';
import { RequestParser, type RequestSink } from '../../src/http/h1/parser.ts';
import type { RequestHead } from '../../src/http/head.ts';
import type { Limits } from '../../src/http/limits.ts';

export interface ParsedRequest {
  readonly head: RequestHead;
  /** As latin1. */
  body: string;
  isComplete: boolean;
}

export interface Parsed {
  readonly requests: ParsedRequest[];
  /** Status and message of the error that ended it. */
  error: { status: number; message: string } | undefined;
  /** Where the parser stands after the last byte. */
  state: 'idle' | 'head' | 'body' | 'closed' | 'error';
}

/**
 * Does what a connection does: feeds until there is nothing left, an error, or a request that ends the connection.
 * @param known heads of earlier calls
 */
export function feed(pieces: Iterable<Buffer>, limits: Limits, known?: KnownHeads): Parsed {
  const parsed: Parsed = { requests: [], error: undefined, state: 'idle' };
  const { requests } = parsed;
  const sink: RequestSink = {
    onHead: (head) => requests.push({ head, body: '', isComplete: false }),
    onBody: (bytes, start, end) => {
      requests.at(-1)!.body += bytes.toString('latin1', start, end);
    },
    onEnd: () => {
      requests.at(-1)!.isComplete = true;
    },
  };
  const parser = new RequestParser(limits, sink, undefined, known);
  const isClosed = () => requests.at(-1)?.isComplete === true && !requests.at(-1)!.head.isKeepAlive;
  try {
    for (const piece of pieces) {
      let position = 0;
      while (position < piece.length && !isClosed()) {
        const before = position;
        position = parser.feed(piece, position, piece.length);
        if (position <= before) throw new Error('the parser took nothing of what it was fed');
      }
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    parsed.error = { status: error.status, message: error.message };
  }
  if (parsed.error !== undefined) parsed.state = 'error';
  else if (isClosed()) parsed.state = 'closed';
  else if (requests.at(-1)?.isComplete === false) parsed.state = 'body';
  else parsed.state = parser.isInHead ? 'head' : 'idle';
  return parsed;
}
