/**
 * A request's head out of HTTP/2's fields (RFC 9113 §8.3). Pure. What breaks the rules of frames and of pseudo-fields has
 * been refused by nghttp2; what breaks the server's own rules and limits is an HttpError here.
 */

import { HttpError } from '../errors.ts';
import type { Allowances } from '../extras.ts';
import { type FieldName, lookUpField } from '../fields.ts';
import { readFraming, splitTarget } from '../h1/framing.ts';
import { fieldValueForm, hostForm, targetForm, tokenForm } from '../h1/grammar.ts';
import type { RequestHead } from '../head.ts';
import type { Limits } from '../limits.ts';

const colon = 0x3a;
const slash = 0x2f;

/**
 * Fills in `head`. If this throws, `head` has what was read until then.
 * @param raw names and values in turn, as they came
 * @param isEnd whether no body follows
 * @throws HttpError
 */
export function readHead(
  head: RequestHead,
  raw: readonly string[],
  isEnd: boolean,
  limits: Limits,
  allowances?: Allowances,
): void {
  head.isHttp2 = true;
  const first = readPseudoFields(head, raw);
  if (!tokenForm.test(head.method)) throw new HttpError(400, 'malformed method');
  if (head.method === 'CONNECT') throw new HttpError(501, 'CONNECT is not served');
  readTarget(head, limits);
  readFields(head, raw, first, limits);
  readFraming(head, allowances);
  // nghttp2 checks that the body has this length (RFC 9113 §8.1.1).
  if (!isEnd && head.contentLength === -1) head.isChunked = true;
  if (limits.bodyBytes > 0 && head.contentLength > limits.bodyBytes) throw new HttpError(413, 'the body is too large');
}

/** @returns where the other fields begin: pseudo-fields come ahead of them (RFC 9113 §8.3) */
function readPseudoFields(head: RequestHead, raw: readonly string[]): number {
  let authority: string | undefined;
  let index = 0;
  for (; index < raw.length && raw[index]!.charCodeAt(0) === colon; index += 2) {
    const value = raw[index + 1]!;
    if (raw[index] === ':method') head.method = value;
    else if (raw[index] === ':path') head.target = value;
    else if (raw[index] === ':authority') authority = value;
    else if (raw[index] === ':scheme' && value !== 'https' && value !== 'http')
      throw new HttpError(400, 'the only schemes served are http and https');
  }
  if (authority !== undefined) {
    if (authority === '' || !hostForm.test(authority)) throw new HttpError(400, 'malformed :authority');
    add(head, 'host', authority);
  }
  return index;
}

function readTarget(head: RequestHead, { requestLineBytes }: Limits): void {
  const { method, target } = head;
  // The length that the line would have in HTTP/1.1.
  const length = method.length + target.length + ' '.length + ' HTTP/2.0'.length;
  if (requestLineBytes > 0 && length > requestLineBytes) throw new HttpError(414, 'the request line is too long');
  if (!targetForm.test(target)) throw new HttpError(400, 'malformed request target');
  if (target.charCodeAt(0) === slash) splitTarget(head, target);
  else if (target === '*' && method === 'OPTIONS') head.path = '*';
  else throw new HttpError(400, 'malformed request target');
}

function readFields(
  head: RequestHead,
  raw: readonly string[],
  first: number,
  { fieldCount, fieldBytes }: Limits,
): void {
  const { names, values } = head;
  let cookieAt = -1;
  for (let index = first; index < raw.length; index += 2) {
    const name = raw[index]!;
    const value = raw[index + 1]!;
    if (fieldBytes > 0 && name.length + value.length + ': '.length > fieldBytes) throw tooLongField();
    if (!fieldValueForm.test(value)) throw new HttpError(400, 'malformed header field value');
    if (name === 'cookie' && cookieAt !== -1) {
      // Clients may split Cookie into several fields for compression; an app gets one (RFC 9113 §8.2.3).
      values[cookieAt] += `; ${value}`;
      if (fieldBytes > 0 && values[cookieAt]!.length + 'cookie: '.length > fieldBytes) throw tooLongField();
      continue;
    }
    if (name === 'host' && names[0]?.kind === 'host') {
      if (value.toLowerCase() === values[0]!.toLowerCase()) continue;
      throw new HttpError(400, 'Host contradicts :authority');
    }
    if (names.length >= fieldCount) throw new HttpError(431, 'too many header fields');
    if (name === 'cookie') cookieAt = names.length;
    add(head, name, value);
  }
}

function add({ names, values }: RequestHead, name: string, value: string): void {
  const field: FieldName | undefined = lookUpField(name);
  if (field === undefined) throw new HttpError(400, 'malformed header field name');
  names.push(field);
  values.push(value);
}

/**
 * The trailers that an app gets, names and values in turn. Fields that frame, route or describe the message are left out
 * (RFC 9110 §6.5.1).
 */
export function readTrailers(raw: readonly string[], { fieldCount }: Limits): string[] {
  const trailers: string[] = [];
  for (let index = 0; index < raw.length && trailers.length < fieldCount * 2; index += 2)
    if (lookUpField(raw[index]!)?.kind === 'other') trailers.push(raw[index]!, raw[index + 1]!);
  return trailers;
}

function tooLongField(): HttpError {
  return new HttpError(431, 'a header field is too long');
}
