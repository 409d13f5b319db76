/** Answers an exchange with the Response that a fetch app has returned. */

import { setImmediate } from 'node:timers';
import { describe } from '../../errors.ts';
import { AppError } from '../../http/errors.ts';
import type { Exchange, Piece } from '../../http/exchange.ts';
import type { Field } from '../../http/h1/writer.ts';
import { bodyOf, fieldsOf, isResponseLike, type PieceReader, streamReader } from './likeness.ts';
import { LightResponse, NativeResponse, type Plain, readFields, statusLine } from './response.ts';

type Step = Awaited<ReturnType<PieceReader['read']>>;

export function answer(exchange: Exchange, response: unknown): void | Promise<void> {
  if (!(response instanceof NativeResponse)) return answerLike(exchange, response);
  const plain = LightResponse.read(response);
  if (isPlain(plain)) return exchange.send(plain.status, plain.fields, plain.piece);
  // Read first: some frameworks' own Response knows its content type only once it has become Node's, which reading the body
  // does.
  const { body } = plain;
  const status = statusLine(plain.status, plain.statusText);
  const fields = readFields(plain.headers);
  if (body === null) return exchange.send(status, fields, '');
  return stream(exchange, status, fields, streamReader(body));
}

function isPlain(answered: Plain | Response): answered is Plain {
  return !(answered instanceof NativeResponse);
}

function answerLike(exchange: Exchange, response: unknown): void | Promise<void> {
  if (!isResponseLike(response)) throw new AppError(`a fetch app returns a Response, got ${describe(response)}`);
  const { statusText } = response;
  const body = bodyOf(response);
  const status = statusLine(response.status, typeof statusText === 'string' ? statusText : '');
  const fields = fieldsOf(response.headers);
  if (typeof body === 'string' || body instanceof Uint8Array) return exchange.send(status, fields, body);
  return stream(exchange, status, fields, body);
}

function stream(exchange: Exchange, status: string, fields: Field[], reader: PieceReader): Promise<void> {
  return sendPieces(exchange, status, fields, reader).catch((error) => {
    reader.cancel(error);
    exchange.fail(error);
  });
}

/**
 * A body that is complete in memory goes out in one piece, with its length. Others go out piece by piece, as fast as the client
 * reads. The head goes first: clients such as EventSource wait for it.
 */
async function sendPieces(exchange: Exchange, status: string, fields: Field[], reader: PieceReader): Promise<void> {
  if (exchange.isHeadRequest) {
    reader.cancel(undefined);
    return exchange.send(status, fields, '');
  }
  exchange.onAbort((reason) => reader.cancel(reason));
  let next = readAhead(reader);
  if (!(await isSettled(next, 4)) && !(await isSettledThisTurn(next))) {
    exchange.begin(status, fields);
    exchange.sendHead();
  }
  const first = await next;
  if (!exchange.isStarted) {
    if (first.done) return exchange.send(status, fields, '');
    next = readAhead(reader);
    if ((await isSettled(next, 4)) && (await next).done) return exchange.send(status, fields, checked(first.value));
    exchange.begin(status, fields);
  } else if (!first.done) next = readAhead(reader);
  for (let step: Step = first; !step.done; ) {
    if (!exchange.write(checked(step.value)) && !exchange.isGone) await drained(exchange);
    if (exchange.isGone) return;
    step = await next;
    if (!step.done) next = readAhead(reader);
  }
  exchange.end();
}

/**
 * A read may fail while the client is slow, or after it has left. The loop sees that later; until then it must not be an
 * unhandled rejection.
 */
function readAhead(reader: PieceReader): Promise<Step> {
  const next = reader.read();
  next.catch(() => {});
  return next;
}

/** Whether a read settles within this number of microtasks. */
async function isSettled(next: Promise<unknown>, turns: number): Promise<boolean> {
  let isOver = false;
  const note = () => {
    isOver = true;
  };
  next.then(note, note);
  for (let turn = 0; turn < turns && !isOver; turn++) await undefined;
  return isOver;
}

/** Whether a read settles by the end of this turn of the event loop. */
function isSettledThisTurn(next: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(false));
    next.then(
      () => resolve(true),
      () => resolve(true),
    );
  });
}

function checked(piece: unknown): Piece {
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  throw new AppError(`a Response's stream gives byte arrays, got ${piece === null ? 'null' : typeof piece}`);
}

function drained(exchange: Exchange): Promise<void> {
  return new Promise((resolve) => {
    exchange.onDrain = () => {
      exchange.onDrain = undefined;
      resolve();
    };
  });
}
