/**
 * A client that repeats nothing and forgives nothing: every request it has sent is answered rightly, or is a failure with a
 * name. On raw sockets, as HTTP agents hide what this is here to see.
 */

import { connect } from 'node:net';

const timeoutMs = 10_000;
const host = '127.0.0.1';
/** A port where nobody listens is not asked again at once. */
const pauseAfterFailureMs = 20;
const headEnd = '\r\n\r\n';
const okStart = 'HTTP/1.1 200 ';
const connectionField = /\r\nconnection: *close/i;

/** Milliseconds since 1970, with fractions: comparable between processes of one machine. */
export const wallMs = () => performance.timeOrigin + performance.now();

/**
 * @typedef {object} Failure
 * @property {'refused' | 'reset before the answer' | 'reset in the answer' | 'closed without an answer' | 'closed in the answer'
 *   | 'not 2xx' | 'wrong body' | 'timeout'} kind
 * @property {string} detail
 * @property {'keep-alive' | 'close'} client
 * @property {number} at wall milliseconds
 * @property {number} openedAt of its connection
 * @property {number} connectedAt when the kernels had agreed on the connection; far in the future if they had not
 * @property {number} request which one of its connection, from 1
 * @property {number} pid of who answered on this connection before; 0 if nobody did
 */

/**
 * @typedef {object} Tally
 * @property {number} sent
 * @property {number} ok
 * @property {number} failed
 * @property {number} opened connections
 * @property {number} announced answers that said `Connection: close` without having been asked to
 * @property {number} longestMs from a request to its whole answer
 * @property {Record<string, number>} versions answers by the app's version
 */

/** @returns {Tally} */
export const emptyTally = () => ({ sent: 0, ok: 0, failed: 0, opened: 0, announced: 0, longestMs: 0, versions: {} });

export class Client {
  /**
   * @param {number} port
   * @param {boolean} isKeepingAlive
   * @param {Tally} tally shared by all
   * @param {(failure: Failure) => void} onFailure
   * @param {() => number} thinkMs how long to wait after an answer
   * @param {string} prefix of every path
   */
  constructor(port, isKeepingAlive, tally, onFailure, thinkMs, prefix = '') {
    Object.assign(this, { port, isKeepingAlive, tally, onFailure, thinkMs, prefix });
    this.tail = isKeepingAlive
      ? ` HTTP/1.1\r\nHost: ${host}\r\n\r\n`
      : ` HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    /** Whether it opens a connection when it has none, and whether it sends another request. */
    this.isOpening = true;
    this.isSending = true;
    this.isPending = false;
    this.isThinking = false;
    this.socket = undefined;
  }

  open() {
    this.socket = undefined;
    if (!this.isOpening) return;
    const socket = connect({ port: this.port, host, noDelay: true });
    this.tally.opened++;
    this.socket = socket;
    this.openedAt = wallMs();
    this.connectedAt = wallMs() + 1e9;
    this.request = 0;
    this.pid = 0;
    // Not `this.socket === socket` alone: a connection that is done with may still end in its own time.
    const isCurrent = () => this.socket === socket;
    socket.setEncoding('latin1');
    socket.on('connect', () => isCurrent() && this.noteConnected());
    socket.on('data', (text) => isCurrent() && this.take(text));
    socket.on(
      'end',
      () => isCurrent() && this.lose(this.received === '' ? 'closed without an answer' : 'closed in the answer', 'FIN'),
    );
    socket.on('error', (error) => isCurrent() && this.lose(this.kindOf(error), error.code ?? error.message));
    socket.on(
      'close',
      () =>
        isCurrent() && this.lose(this.received === '' ? 'closed without an answer' : 'closed in the answer', 'close'),
    );
    this.send();
  }

  noteConnected() {
    this.connectedAt = wallMs();
  }

  kindOf({ code }) {
    if (code === 'ECONNREFUSED') return 'refused';
    return this.received === '' ? 'reset before the answer' : 'reset in the answer';
  }

  send() {
    this.isThinking = false;
    this.path = `${this.prefix}/${++this.tally.sent}`;
    this.request++;
    this.received = '';
    this.isPending = true;
    this.sentAt = performance.now();
    this.socket.write(`GET ${this.path}${this.tail}`, 'latin1');
  }

  take(text) {
    if (!this.isPending)
      return this.lose('wrong body', `bytes that nobody asked for: ${JSON.stringify(text.slice(0, 60))}`);
    const received = this.received === '' ? text : this.received + text;
    this.received = received;
    const end = received.indexOf(headEnd);
    if (end === -1) return;
    if (!received.startsWith(okStart)) return this.lose('not 2xx', received.slice(0, received.indexOf('\r\n')));
    const length = Number(fieldOf(received, end, 'Content-Length'));
    const bodyStart = end + headEnd.length;
    if (received.length < bodyStart + length) return;
    this.finish(received.slice(bodyStart), received, end);
  }

  finish(body, received, end) {
    // "VERSION PATH\n"
    const space = body.indexOf(' ');
    if (body.length !== space + this.path.length + 2 || !body.startsWith(this.path, space + 1))
      return this.lose('wrong body', `${JSON.stringify(body.slice(0, 60))} to ${this.path}`);
    const { tally } = this;
    tally.ok++;
    const version = body.slice(0, space);
    tally.versions[version] = (tally.versions[version] ?? 0) + 1;
    tally.longestMs = Math.max(tally.longestMs, performance.now() - this.sentAt);
    this.pid = Number(fieldOf(received, end, 'X-Pid'));
    this.isPending = false;
    const isClosing = connectionField.test(received.slice(0, end));
    if (isClosing && this.isKeepingAlive) tally.announced++;
    if (isClosing || !this.isKeepingAlive || !this.isSending) {
      this.leave();
      return this.open();
    }
    const ms = this.thinkMs();
    if (ms === 0) return this.send();
    this.isThinking = true;
    const { socket } = this;
    setTimeout(() => this.socket === socket && this.send(), ms);
  }

  /** Done with this connection; what comes of it now is nobody's. */
  leave() {
    const { socket } = this;
    this.socket = undefined;
    socket?.on('error', () => {}).end();
    socket?.resume();
  }

  /** The connection has ended. Between two requests that is the server's good right, and not seen by a busy client. */
  lose(kind, detail) {
    const { isPending, socket } = this;
    this.socket = undefined;
    this.isPending = false;
    socket?.destroy();
    if (!isPending && kind !== 'wrong body') return this.open();
    this.tally.failed++;
    this.onFailure({
      ...{ kind, detail, client: this.isKeepingAlive ? 'keep-alive' : 'close', at: wallMs() },
      ...{ openedAt: this.openedAt, connectedAt: this.connectedAt, request: this.request, pid: this.pid },
    });
    setTimeout(() => this.open(), pauseAfterFailureMs);
  }

  /** To be called now and then: no request has a timer. */
  checkTime() {
    if (this.isPending && performance.now() - this.sentAt > timeoutMs) this.lose('timeout', `${timeoutMs} ms`);
  }

  /** No new connection from now on; the one there is, is used until the server closes it. */
  stopOpening() {
    this.isOpening = false;
  }

  /** No new request from now on. */
  stopSending() {
    this.isOpening = false;
    this.isSending = false;
    if (!this.isPending) this.leave();
  }
}

/** A field's value, by its usual spelling or in small letters; '' where there is none. */
function fieldOf(text, end, name) {
  let start = text.indexOf(`\r\n${name}: `);
  if (start === -1 || start > end) start = text.indexOf(`\r\n${name.toLowerCase()}: `);
  if (start === -1 || start > end) return '';
  const from = start + name.length + 4;
  return text.slice(from, text.indexOf('\r\n', from));
}
