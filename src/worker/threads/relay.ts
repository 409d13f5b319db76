/**
 * One request in the main thread, on its way through a thread and back. Its exchange stands on the real connection: only here
 * is it known whether an answer has begun, and whether the connection persists.
 */

import { type ErrorReport, report } from '../../errors.ts';
import { ClientGone } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Field } from '../../http/h1/writer.ts';
import {
  AnswerFlag,
  type AnswerPart,
  bytesIn,
  creditBytes,
  statusShift,
  type ToThread,
  windowBytes,
  writeRequest,
} from './messages.ts';

/** What a request needs of its thread. */
export interface Recipient {
  send(message: ToThread, transfer?: ArrayBuffer): void;
}

export class Relay {
  readonly exchange: Exchange;
  /** The thread that has the request, and the request's number there. */
  thread: Recipient | undefined = undefined;
  id = 0;
  /** Whether the thread has responded since the request was over time, and so is not in an endless loop. */
  hasHeard = false;
  /** Whether the thread has heard that the client has closed its half. */
  hasHeardEnd = false;
  /** When it began to wait for a thread. */
  queuedAt = 0;
  /** Whether an earlier thread ended with it. */
  isRetry = false;
  /** Nothing more follows, whatever the thread still says. */
  isOver = false;
  /** Bytes of the body that may still be sent before the app has taken more. */
  private window = windowBytes;
  private isReading = false;
  private isBodyStopped = false;
  /** Bytes of the answer that were written, for which no credit was granted yet. */
  private uncredited = 0;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** The thread has ended, and another one gets the request. Only for a request without a body that was not answered. */
  reset(): void {
    this.isRetry = true;
    this.thread = undefined;
    this.hasHeard = false;
    this.hasHeardEnd = false;
  }

  get hasBody(): boolean {
    return this.exchange.head.hasBody;
  }

  /** Sends the request to its thread, with as much of its body as may be sent at once. */
  begin(thread: Recipient, id: number): void {
    const { exchange } = this;
    const { head, ends } = exchange;
    this.thread = thread;
    this.id = id;
    if (exchange.observers !== undefined)
      exchange.queueMs = (exchange.queueMs ?? 0) + performance.now() - this.queuedAt;
    // Over HTTP/2 there is no connection to take over.
    if (exchange.transport.takeOver === undefined) head.isUpgrade = false;
    thread.send(writeRequest(id, head, ends, head.isKeepAlive, exchange.transport.ends));
    // The client left while the request waited for a thread.
    if (exchange.leaveReason !== undefined) this.leave(exchange.leaveReason);
    if (exchange.goneReason !== undefined) this.abort(exchange.goneReason);
    // The head travels with the part of the body that has come, or with all of a small one. A client that waits for permission
    // to send gets it when the app reads, not before (RFC 9110 §10.1.1).
    const isSmall = head.contentLength > 0 && head.contentLength <= creditBytes && !head.expectsContinue;
    if (isSmall || exchange.unreadBytes > 0) this.readBody();
  }

  /** Passes the body on, as fast as the app takes it. */
  readBody(): void {
    if (this.isReading || this.isOver) return;
    this.isReading = true;
    this.exchange.readBody({
      onData: (bytes) => this.passBody(bytes),
      onEnd: () => this.thread?.send(['bodyEnd', this.id, this.exchange.head.trailers]),
    });
  }

  /** The app has taken bytes of the body. */
  noteTaken(bytes: number): void {
    this.window += bytes;
    if (!this.isBodyStopped || this.window <= 0) return;
    this.isBodyStopped = false;
    if (!this.isOver) this.exchange.resumeBody();
  }

  private passBody(bytes: Buffer): boolean {
    const copy = new Uint8Array(bytes);
    this.window -= copy.byteLength;
    this.thread?.send(['body', this.id, copy], copy.buffer);
    this.isBodyStopped = this.window <= 0;
    return !this.isBodyStopped;
  }

  /** A part of the answer. */
  answer(flags: number, sent: AnswerPart): void {
    const { exchange } = this;
    const { transport } = exchange;
    if (this.isOver || exchange.isEnded || exchange.isGone) return this.confirm(flags, false);
    if ((flags & AnswerFlag.interim) !== 0) {
      if (!exchange.isStarted) transport.answer.pass(exchange, sent);
      return;
    }
    if ((flags & AnswerFlag.head) !== 0) {
      const mayPersist = (flags & AnswerFlag.persists) !== 0;
      exchange.persists = mayPersist && (flags & AnswerFlag.hangUp) === 0 && transport.mayPersist(exchange);
      exchange.status = String(flags >> statusShift);
      exchange.isStarted = true;
      if (exchange.observers !== undefined) exchange.noteFields(() => readFields(sent.text.slice(0, sent.headLength)));
    }
    if (sent.cpuMicros >= 0) exchange.cost = { cpuMs: sent.cpuMicros / 1000 };
    // Set before sending, as in the exchange itself: the transport may look at it while it sends.
    const isEnd = (flags & AnswerFlag.end) !== 0;
    if (isEnd) exchange.isEnded = true;
    if ((flags & AnswerFlag.hangUp) !== 0) exchange.persists = false;
    exchange.sentBytes = sent.sentBytes;
    const isTaking = transport.answer.pass(exchange, sent);
    if (isEnd) {
      transport.finish(exchange);
      if ((flags & AnswerFlag.confirm) !== 0) transport.whenTaken((error) => this.confirm(flags, error === undefined));
      return;
    }
    this.uncredited += bytesIn(sent);
    if (isTaking) this.grantCredit();
    else exchange.onDrain = () => this.grantCredit();
  }

  private confirm(flags: number, isOut: boolean): void {
    if ((flags & AnswerFlag.confirm) !== 0) this.thread?.send(['out', this.id, isOut]);
  }

  private grantCredit(): void {
    this.exchange.onDrain = undefined;
    if (this.uncredited < creditBytes) return;
    this.thread?.send(['taken', this.id, this.uncredited]);
    this.uncredited = 0;
  }

  /** The exchange calls it through the pool: the request is over time, or its client has closed its half. */
  leave(reason: Error): void {
    // One that is gone altogether has not closed its half: `abort` follows.
    if (this.isOver || (this.exchange.goneReason !== undefined && reason instanceof ClientGone)) return;
    this.thread?.send(['left', this.id, reason.name, reason.message]);
  }

  abort(reason: Error): void {
    if (!this.isOver) this.thread?.send(['gone', this.id, reason.message, failureIn(reason)]);
  }
}

function failureIn({ cause }: Error): ErrorReport | undefined {
  return cause === undefined ? undefined : report(cause);
}

/** Reads the fields of a head that was written in a thread. */
function readFields(head: string): Field[] {
  const lines = head.split('\r\n').filter((line) => line.includes(': '));
  return lines.map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}
