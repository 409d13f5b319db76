/** The fields of an answer in HTTP/2, checked by the same rules as in HTTP/1.1 (`h1/writer.ts`). Pure. */

import { dateLine } from '../date.ts';
import { AppError } from '../errors.ts';
import { lookUpField } from '../fields.ts';
import { interimForm } from '../h1/grammar.ts';
import {
  checkField,
  checkStatus,
  type Field,
  isOfConnection,
  mayLeaveOut,
  moreThanOne,
  ofConnection,
  type ResponseState,
  readLength,
} from '../h1/writer.ts';

const datePrefix = 'Date: '.length;

/**
 * Decides where the body ends, too: `none` and `length` as in HTTP/1.1; `chunked` is a body whose end its frames say.
 * @param knownLength the body's length in bytes if all of it is in memory, else -1
 * @returns names in lower case (RFC 9113 §8.2)
 * @throws AppError for a malformed status or field, or a Content-Length that is not the known length
 */
export function answerFields(
  state: ResponseState,
  status: string,
  fields: readonly Field[],
  knownLength: number,
): Field[] {
  checkStatus(status);
  const code = status.slice(0, 3);
  const hasNoBody = code === '204' || code === '205' || code === '304';
  const result: Field[] = [];
  let hasDate = false;
  let hasType = false;
  state.contentLength = -1;
  for (const [name, value] of fields) {
    const kind = checkField(name, value);
    if (kind === 'content-length') {
      state.contentLength = readLength(state.contentLength, value);
      if (code === '204' || code === '205') continue;
    } else if (kind === 'date') {
      if (hasDate) throw moreThanOne(name);
      hasDate = true;
    } else if (kind === 'content-type') {
      if (hasType) throw moreThanOne(name);
      hasType = true;
    } else if (kind === 'connection') continue;
    else if (isOfConnection(kind)) {
      if (state.isLenient !== true || !mayLeaveOut(kind, value)) throw ofConnection(name);
      if (kind !== 'trailer') continue;
    }
    result.push([lookUpField(name)!.lower, value]);
  }
  if (!hasDate && state.sendsDate !== false) result.push(['date', dateLine().slice(datePrefix, -2)]);
  if (hasNoBody) {
    state.framing = 'none';
    state.contentLength = -1;
  } else if (state.contentLength !== -1) {
    if (knownLength !== -1 && knownLength !== state.contentLength && !(state.isHeadRequest && knownLength === 0))
      throw new AppError(`the body has ${knownLength} bytes, but its Content-Length says ${state.contentLength}`);
    state.framing = 'length';
  } else if (knownLength !== -1) {
    state.framing = 'length';
    state.contentLength = knownLength;
    if (!(state.isHeadRequest && knownLength === 0)) result.push(['content-length', String(knownLength)]);
  } else state.framing = 'chunked';
  if (state.isHeadRequest) state.framing = 'none';
  return result;
}

/** @throws AppError for a malformed status or field */
export function interimFields(status: string, fields: readonly Field[], isLenient: boolean): Field[] {
  if (!interimForm.test(status)) throw new AppError(`not the status of an interim answer: ${JSON.stringify(status)}`);
  const result: Field[] = [];
  for (const [name, value] of fields) {
    const kind = checkField(name, value);
    if (isOfConnection(kind) && (!isLenient || !mayLeaveOut(kind, value))) throw ofConnection(name);
    if (!isOfConnection(kind) && kind !== 'connection' && kind !== 'content-length')
      result.push([lookUpField(name)!.lower, value]);
  }
  return result;
}

/** Fields as Node's session takes them: a list for a name with several values. */
export type OutgoingFields = Record<string, string | string[]>;

export function outgoing(fields: readonly Field[]): OutgoingFields {
  const all: OutgoingFields = Object.create(null);
  for (const [name, value] of fields) {
    const before = all[name];
    if (before === undefined) all[name] = value;
    else if (typeof before === 'string') all[name] = [before, value];
    else before.push(value);
  }
  return all;
}
