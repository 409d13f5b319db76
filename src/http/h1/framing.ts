/**
 * Decides once, when a head is complete, what it means for the connection: where the body ends (RFC 9112 §6), whether the
 * connection persists (§9.3), which host is meant (§3.2). What is ambiguous is refused, because a proxy before us may
 * have read it the other way.
 */

import { HttpError } from '../errors.ts';
import type { Allowances } from '../extras.ts';
import type { RequestHead } from '../head.ts';
import { absoluteForm, authorityForm, hostForm, listMembers, targetForm, tokenForm, trimOws } from './grammar.ts';

const slash = 0x2f;
const versionForm = /^HTTP\/([0-9])\.([0-9])$/;

/** request-line (RFC 9112 §3): method SP request-target SP HTTP-version, with exactly those two spaces. */
export function readRequestLine(line: string, head: RequestHead, allowances?: Allowances): void {
  const afterMethod = line.indexOf(' ');
  const afterTarget = line.indexOf(' ', afterMethod + 1);
  if (afterMethod <= 0 || afterTarget === -1) throw new HttpError(400, 'malformed request line');
  const method = line.slice(0, afterMethod);
  const target = line.slice(afterMethod + 1, afterTarget);
  // The common ones by themselves: the expression costs more than all the rest of this line.
  if (method !== 'GET' && method !== 'POST' && !tokenForm.test(method)) throw new HttpError(400, 'malformed method');
  if (!targetForm.test(target)) throw new HttpError(400, 'malformed request target');
  head.minorVersion = readVersion(line, afterTarget + 1);
  head.method = method;
  head.target = target;
  readTarget(head, allowances);
}

function readVersion(line: string, at: number): number {
  if (line.length === at + 8) {
    if (line.endsWith('HTTP/1.1')) return 1;
    if (line.endsWith('HTTP/1.0')) return 0;
  }
  const [, major, minor] = versionForm.exec(line.slice(at)) ?? [];
  if (major === undefined) throw new HttpError(400, 'malformed HTTP version');
  if (major !== '1') throw new HttpError(505, 'only HTTP/1.1 and HTTP/1.0 are served');
  // A higher minor version is served as the highest we know (RFC 9110 §2.5).
  return Math.min(Number(minor), 1);
}

function readTarget(head: RequestHead, allowances: Allowances | undefined): void {
  const { method, target } = head;
  if (method === 'CONNECT') {
    if (!authorityForm.test(target)) throw new HttpError(400, 'CONNECT needs host:port for a target');
    if (allowances?.takesConnect !== true) throw new HttpError(501, 'CONNECT is not served');
    head.path = target;
    head.isUpgrade = true;
    return;
  }
  if (target.charCodeAt(0) === slash) return splitTarget(head, target);
  if (target === '*' && method === 'OPTIONS') {
    head.path = '*';
    return;
  }
  const [, authority, rest = '/'] = absoluteForm.exec(target) ?? [];
  if (authority === undefined || !hostForm.test(authority)) throw new HttpError(400, 'malformed request target');
  head.host = authority;
  splitTarget(head, rest.startsWith('?') ? `/${rest}` : rest);
}

export function splitTarget(head: RequestHead, target: string): void {
  const mark = target.indexOf('?');
  head.path = mark === -1 ? target : target.slice(0, mark);
  head.query = mark === -1 ? '' : target.slice(mark + 1);
}

/** Reads the fields that mean something to the server, once all are there. */
export function readFraming(head: RequestHead, allowances?: Allowances): void {
  let hosts = 0;
  let lengths = 0;
  let types = 0;
  let dates = 0;
  let codings: string | undefined;
  let connection: string | undefined;
  head.isKeepAlive = head.minorVersion === 1;
  for (let index = 0; index < head.names.length; index++) {
    const { kind } = head.names[index]!;
    if (kind === 'other') continue;
    const value = head.values[index]!;
    if (kind === 'host') {
      if (++hosts > 1 || !isHost(value)) throw new HttpError(400, 'expected one well-formed Host field');
      head.host ??= value;
    } else if (kind === 'content-length') {
      if (++lengths > 1) throw new HttpError(400, 'more than one Content-Length');
      head.contentLength = readContentLength(value);
    } else if (kind === 'transfer-encoding') codings = codings === undefined ? value : `${codings},${value}`;
    else if (kind === 'connection') connection = connection === undefined ? value : `${connection},${value}`;
    else if (kind === 'expect') readExpectation(head, value, allowances);
    else if (kind === 'forwarded') head.isForwarded = true;
    // Singletons (RFC 9110 §8.3, §6.6.1). Of two, Node takes the first, gunicorn the last, and `fetch` both: a filter in front
    // of us may have checked another than the app gets.
    else if (kind === 'content-type' && ++types > 1) throw new HttpError(400, 'more than one Content-Type');
    else if (kind === 'date' && ++dates > 1) throw new HttpError(400, 'more than one Date');
  }
  if (hosts === 0 && head.minorVersion === 1 && allowances?.needsHost !== false)
    throw new HttpError(400, 'HTTP/1.1 needs a Host field');
  if (codings !== undefined) readTransferEncoding(head, codings);
  if (connection !== undefined) readConnection(head, connection);
}

/** The last one that passed: most requests to a server have the same. */
let checkedHost = '';

function isHost(value: string): boolean {
  if (value === checkedHost) return true;
  if (!hostForm.test(value)) return false;
  checkedHost = value;
  return true;
}

/** Digits only (RFC 9110 §8.6). A list of equal values is allowed there too; we refuse it, as it needs a guess. */
function readContentLength(value: string): number {
  const length = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(length)) throw new HttpError(400, 'malformed Content-Length');
  return length;
}

/** No client needs more for its list of codings. To take one of 800 KB apart costs a third of reading it. */
const maxCodingsLength = 1000;

/** Exactly `chunked`, alone (RFC 9112 §6.1, §6.3). */
function readTransferEncoding(head: RequestHead, value: string): void {
  if (head.minorVersion === 0) throw new HttpError(400, 'HTTP/1.0 has no Transfer-Encoding');
  if (head.contentLength !== -1) throw new HttpError(400, 'both Transfer-Encoding and Content-Length');
  if (value.length > maxCodingsLength) throw new HttpError(400, 'malformed Transfer-Encoding');
  const codings = value.split(',').map((coding) => trimOws(coding).toLowerCase());
  if (codings.some((coding) => !tokenForm.test(coding))) throw new HttpError(400, 'malformed Transfer-Encoding');
  if (codings.indexOf('chunked') !== codings.lastIndexOf('chunked')) throw new HttpError(400, 'chunked more than once');
  if (codings.includes('chunked') && codings.at(-1) !== 'chunked') throw new HttpError(400, 'chunked must come last');
  if (codings.length > 1 || codings[0] !== 'chunked')
    throw new HttpError(501, 'the only transfer coding served is chunked');
  head.isChunked = true;
}

/** Connection is a list of options (RFC 9110 §7.6.1); `close` beats `keep-alive`. */
function readConnection(head: RequestHead, value: string): void {
  // What most clients say, ahead of taking a list apart.
  if (value === 'keep-alive' || value === 'close') {
    head.isKeepAlive = value === 'keep-alive';
    return;
  }
  const options = listMembers(value);
  if (options.includes('keep-alive')) head.isKeepAlive = true;
  if (options.includes('close')) head.isKeepAlive = false;
  if (options.includes('upgrade')) head.isUpgrade = true;
}

/** Expect (RFC 9110 §10.1.1) is a list, and 100-continue the only member; HTTP/1.0 clients cannot mean it. */
function readExpectation(head: RequestHead, value: string, allowances: Allowances | undefined): void {
  const members = listMembers(value);
  if (members.some((member) => member !== '100-continue')) {
    if (allowances?.takesExpectations !== true) throw new HttpError(417, 'the only expectation served is 100-continue');
    head.expectsOther = head.minorVersion === 1;
  } else if (members.length > 0) head.expectsContinue = head.minorVersion === 1;
}
