/**
 * Response heads as text (RFC 9112 §4 to §7): status line, fields, and how the end of the body will be known. Pure; what
 * an app must not send is an AppError, thrown before a byte is out.
 */

import { AppError } from '../errors.ts';
import { type FieldKind, lookUpField } from '../fields.ts';
import { fieldValueForm, interimForm, listMembers, statusForm } from './grammar.ts';
import { lengthEnd, MadeLines, MadeLinesCache } from './made-lines.ts';

export type Field = readonly [name: string, value: string];

/** How the client knows where the body ends: it has none, by Content-Length, by chunks, or by the end of the connection. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What the writer must know of a request, and what it decides for its response. */
export interface ResponseState {
  readonly isHeadRequest: boolean;
  readonly minorVersion: number;
  /** In: whether the connection may persist. Out: whether it does. */
  persists: boolean;
  /** Whether fields that only the server may set are left out; otherwise they are an error (PEP 3333). */
  readonly isLenient?: boolean;
  /** If false, only the app sets Date. */
  readonly sendsDate?: boolean;
  /** Sent if the connection persists: a line that says how long it may be idle. */
  readonly keepAliveLine?: string;
  framing: Framing;
  /** -1 if there is none. */
  contentLength: number;
}

/**
 * Writes a head and decides the framing.
 * @param knownLength the body's length in bytes if all of it is in memory, else -1
 * @param saysConnection if false, `connectionField` adds the field about the connection later
 * @param ownLine a field of the server's own, with its CRLF
 * @throws AppError for a malformed status or field, or a Content-Length that is not the known length
 */
export function writeHead(
  state: ResponseState,
  status: string,
  fields: readonly Field[],
  knownLength: number,
  saysConnection = true,
  ownLine = '',
): string {
  const isLenient = state.isLenient === true;
  const known = made.find(status, fields, isLenient);
  const lines = known ?? writeLines(status, fields, isLenient);
  const isDated = !lines.hasDate && state.sendsDate !== false;
  const text = known === undefined ? lines.plain(isDated) : lines.flat(isDated);
  if (lines.closes) state.persists = false;
  state.contentLength = lines.contentLength;
  // RFC 9110 §15.3.5, §15.3.6, §15.4.5.
  const isReset = status.startsWith('205');
  let end = '\r\n';
  if (isReset || status.startsWith('204') || status.startsWith('304')) {
    state.framing = 'none';
    state.contentLength = -1;
    // Unlike the other two, this framing needs a field (RFC 9112 §6.3).
    if (isReset) end = lengthEnd(0);
  } else if (state.contentLength !== -1) {
    if (knownLength !== -1 && knownLength !== state.contentLength && !(state.isHeadRequest && knownLength === 0))
      throw new AppError(`the body has ${knownLength} bytes, but its Content-Length says ${state.contentLength}`);
    state.framing = 'length';
  } else if (knownLength !== -1) {
    state.framing = 'length';
    state.contentLength = knownLength;
    // For HEAD an app need not return a body: then the length is not known (RFC 9110 §9.3.2).
    if (!(state.isHeadRequest && knownLength === 0)) end = lengthEnd(knownLength);
  } else if (state.minorVersion === 1) {
    state.framing = 'chunked';
    end = 'Transfer-Encoding: chunked\r\n\r\n';
  } else {
    state.framing = 'close';
    if (!state.isHeadRequest) state.persists = false;
  }
  if (state.isHeadRequest) state.framing = 'none';
  const idle = state.persists && state.keepAliveLine !== undefined ? state.keepAliveLine : '';
  const own = saysConnection ? idle + connectionField(state) + ownLine : idle + ownLine;
  return own === '' ? text + end : `${text}${end.slice(0, -2)}${own}\r\n`;
}

const made = new MadeLinesCache();

/** @throws AppError for a malformed status or field */
function writeLines(status: string, fields: readonly Field[], isLenient: boolean): MadeLines {
  checkStatus(status);
  const facts = { hasDate: false, hasType: false, contentLength: -1, closes: false };
  let text = `HTTP/1.1 ${status}\r\n`;
  for (const [name, value] of fields) {
    const kind = checkField(name, value);
    if (kind === 'content-length') {
      facts.contentLength = readLength(facts.contentLength, value);
      if (status.startsWith('205') || status.startsWith('204')) continue;
    } else if (kind === 'connection') {
      if (listMembers(value).includes('close')) facts.closes = true;
      continue;
    } else if (kind === 'date') {
      if (facts.hasDate) throw moreThanOne(name);
      facts.hasDate = true;
    } else if (kind === 'content-type') {
      if (facts.hasType) throw moreThanOne(name);
      facts.hasType = true;
    } else if (isOfConnection(kind)) {
      if (!isLenient || !mayLeaveOut(kind, value)) throw ofConnection(name);
      // Node's handlers can send the trailers that this field announces (RFC 9110 §6.6.2).
      if (kind !== 'trailer') continue;
    }
    text += `${name}: ${value}\r\n`;
  }
  const lines = new MadeLines(status, fields, isLenient, text, facts);
  made.keep(lines, text.length);
  return lines;
}

/** The field that tells clients when to stop using the connection, before the server closes it; '' if there is no limit. */
export function keepAliveLine(idleMs: number): string {
  return idleMs < 1000 || idleMs === Number.POSITIVE_INFINITY
    ? ''
    : `Keep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\n`;
}

/** Whether the connection persists (RFC 9112 §9.3, §9.6). In HTTP/1.1 that is the default, and needs no field. */
export function connectionField({ persists, minorVersion }: ResponseState): string {
  if (!persists) return 'Connection: close\r\n';
  return minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
}

/**
 * Node apps name the framing of their body, which is decided here anyway. Another transfer coding would be wrong, so it is an
 * error.
 */
export function mayLeaveOut(kind: FieldKind, value: string): boolean {
  return kind !== 'transfer-encoding' || /^(?:chunked|identity)$/i.test(value);
}

/**
 * An interim response, such as 103 Early Hints (RFC 8297). It is held to the rules of a final head. As it has no content, a
 * Content-Length is left out, as from a 204 (RFC 9110 §8.6, RFC 9112 §6.1).
 */
export function writeInterimHead(status: string, fields: readonly Field[], isLenient: boolean): string {
  if (!interimForm.test(status)) throw new AppError(`not the status of an interim answer: ${JSON.stringify(status)}`);
  let text = `HTTP/1.1 ${status}\r\n`;
  for (const [name, value] of fields) {
    const kind = checkField(name, value);
    if (isOfConnection(kind) && (!isLenient || !mayLeaveOut(kind, value))) throw ofConnection(name);
    if (!isOfConnection(kind) && kind !== 'connection' && kind !== 'content-length') text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

/** Field lines behind a chunked body. What frames, routes or describes the message may not come so late (RFC 9110 §6.5.1). */
export function writeTrailers(fields: readonly Field[]): string {
  let text = '';
  for (const [name, value] of checkTrailers(fields)) text += `${name}: ${value}\r\n`;
  return text;
}

/** The trailers that may be sent. @throws AppError for a malformed one */
export function checkTrailers(fields: readonly Field[]): readonly Field[] {
  return fields.length === 0 ? fields : fields.filter(([name, value]) => checkField(name, value) === 'other');
}

export function isOfConnection(kind: FieldKind): boolean {
  return kind === 'trailer' || kind === 'transfer-encoding' || kind === 'hop-by-hop' || kind === 'upgrade';
}

export function ofConnection(name: string): AppError {
  return new AppError(`${name} belongs to the connection, which is the server's: an app must not set it (PEP 3333)`);
}

/** Of two such fields, some clients use the first and others the last (RFC 9110 §8.3, §6.6.1). */
export function moreThanOne(name: string): AppError {
  return new AppError(`more than one ${name}: an answer has one, so set it instead of adding to it`);
}

/** The last status that passed: most responses of an app have the same. */
let checkedStatus = '';

export function checkStatus(status: unknown): void {
  if (status === checkedStatus) return;
  if (typeof status !== 'string' || !statusForm.test(status))
    throw new AppError(`a status is a text such as "200 OK", got ${JSON.stringify(status)}`);
  checkedStatus = status;
}

/** A longer value is not kept for comparison: it would stay in memory for ever. */
const longestKept = 256;

export function checkField(name: unknown, value: unknown) {
  if (typeof name !== 'string' || typeof value !== 'string')
    throw new AppError(`a header is a pair of texts, got ${typeof name} and ${typeof value} (${String(name)})`);
  const field = lookUpField(name);
  if (field === undefined) throw new AppError(`not a header name: ${JSON.stringify(name)}`);
  if (value === field.sentValue) return field.kind;
  if (!fieldValueForm.test(value))
    throw new AppError(`header ${name}: CR, LF, control or non-latin1 character in its value`);
  if (value.length <= longestKept) field.sentValue = value;
  return field.kind;
}

export function readLength(before: number, value: string): number {
  const length = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(length))
    throw new AppError(`Content-Length: not a length: ${value}`);
  if (before !== -1) throw new AppError('more than one Content-Length');
  return length;
}
