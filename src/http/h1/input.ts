/**
 * What comes in on a connection: the loop that feeds the parser, and passes on heads and bodies. It refuses to know how a
 * request is answered.
 *
 * While an answer is under way, or waits for the client to take it, pipelined bytes wait here, and beyond a bound the wire is
 * not read: the client's own buffers are the queue.
 */

import { inFreshContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Allowances } from '../extras.ts';
import type { RequestHead } from '../head.ts';
import { type Limits, largeBodyBytes } from '../limits.ts';
import { readBuffer } from '../wire/buffers.ts';
import type { Wire } from '../wire/wire.ts';
import { waitForTurn } from './head-turns.ts';
import { IncomingBody } from './incoming-body.ts';
import type { KnownHeads } from './known-heads.ts';
import type { Outgoing } from './outgoing.ts';
import { RequestParser, type RequestSink } from './parser.ts';
import { Unread } from './unread.ts';

/** What the input needs of its connection. */
export interface Readable {
  readonly wire: Wire;
  readonly outgoing: Outgoing;
  /** The request that is being answered. */
  readonly exchange: Exchange | undefined;
  readonly isClosing: boolean;
  /** Whether the last answer is complete. */
  readonly isDone: boolean;
  /** Whether what follows has to wait: for the answer to this request, or for the client to take what was sent. */
  readonly mustWait: boolean;
  readonly isEndWaiting: boolean;
  /** Hands a request to its app. */
  begin(head: RequestHead, isPipelined: boolean): Exchange;
  takeEnd(): void;
  updatePhase(): void;
  refuse(error: HttpError): void;
  close(): void;
  /** The last answer is complete. @param isAllRead whether nothing has come behind its request */
  closeAfterLast(head: RequestHead | undefined, isAllRead: boolean): void;
}

export class Input implements RequestSink {
  /** Whether the current request has come in whole; true between requests. */
  isRequestComplete = true;
  private readonly owner: { readonly user: Readable | undefined };
  private readonly parser: RequestParser;
  /** Made with the first body: most connections bring none. */
  private body: IncomingBody | undefined = undefined;
  /** A request that is answered while the app still reads its body. */
  private answered: Exchange | undefined = undefined;
  /** A head that the parser has just read. */
  private arrived: RequestHead | undefined = undefined;
  private unread: Unread | undefined = undefined;
  /** Whether the next request was sent ahead of the answer to the one before. */
  private isBehind = false;
  /** Whether the parser has refused what came. */
  private isBroken = false;

  /** @param owner says whose input it is */
  constructor(
    owner: { readonly user: Readable | undefined },
    limits: Limits,
    allowances: Allowances | undefined,
    known: KnownHeads,
  ) {
    this.owner = owner;
    this.parser = new RequestParser(limits, this, allowances, known);
  }

  /** Nothing comes for now. */
  leave(): void {
    this.body?.forget();
  }

  /** Whether nothing has come of a request that is not answered. */
  get isClean(): boolean {
    const { answered, unread, isBroken, isRequestComplete, parser } = this;
    return isRequestComplete && answered === undefined && unread === undefined && !isBroken && parser.isFresh;
  }

  private get connection(): Readable {
    return this.owner.user!;
  }

  get isInHead(): boolean {
    return this.parser.isInHead;
  }

  /** What was read of a head that breaks the rules. */
  get brokenHead(): RequestHead {
    return this.parser.brokenHead;
  }

  get hasUnread(): boolean {
    return this.unread !== undefined;
  }

  /** Whether so much waits that no more should be read. */
  get isFull(): boolean {
    return this.unread?.isFull === true;
  }

  nextBuffer(): Buffer {
    const isBody = !this.isRequestComplete && this.connection.exchange !== undefined;
    const isLarge = isBody && this.parser.bodyRemaining >= largeBodyBytes;
    return this.body === undefined && !isLarge ? readBuffer(false) : this.someBody.nextBuffer(isLarge);
  }

  private get someBody(): IncomingBody {
    this.body ??= new IncomingBody();
    return this.body;
  }

  take(bytes: Buffer, length: number): void {
    if (this.unread !== undefined) return this.keep(this.unread, bytes.subarray(0, length));
    if (this.connection.exchange === undefined && this.parser.isIdle) this.isBehind = false;
    this.consume(bytes, 0, length);
    // libuv would go on reading, up to two megabytes.
    if (length === bytes.length && this.isInHead) waitForTurn(this.connection.wire);
  }

  /** Reads the pipelined bytes that waited. @returns whether there were any */
  goOn(): boolean {
    const unread = this.takeUnread();
    if (unread !== undefined) inFreshContext(() => this.consume(unread, 0, unread.length));
    return unread !== undefined;
  }

  takeUnread(): Buffer | undefined {
    const { unread } = this;
    this.unread = undefined;
    return unread?.join();
  }

  /** Discards what the app has not read of an answered request. */
  drain(exchange: Exchange): void {
    this.body?.drain(exchange.unreadBytes);
  }

  /** The request is answered. @param isLast whether nothing is read behind it */
  noteAnswered(exchange: Exchange, isLast: boolean): void {
    if (!isLast && !this.isRequestComplete && exchange.isBodyPending) this.answered = exchange;
    else exchange.loseBody();
  }

  loseBody(): void {
    const { answered } = this;
    this.answered = undefined;
    answered?.loseBody();
  }

  /** Discards what has come, and what still comes. */
  stop(): void {
    this.unread = undefined;
    this.loseBody();
  }

  // From the parser.

  onHead(head: RequestHead): void {
    this.isRequestComplete = false;
    this.arrived = head;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.someBody.add(bytes, start, end);
  }

  onEnd(): void {
    this.passBody();
    this.isRequestComplete = true;
    (this.connection.exchange ?? this.answered)?.endBody();
    this.answered = undefined;
  }

  private consume(bytes: Buffer, start: number, end: number): void {
    const { connection, parser } = this;
    const { outgoing } = connection;
    let position = start;
    let current = connection.exchange;
    outgoing.isHolding = true;
    try {
      while (position < end && !connection.isClosing && !connection.mustWait) {
        position = parser.feed(bytes, position, end);
        if (this.arrived !== undefined) current = this.begin(this.arrived);
        else this.passBody();
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.isBroken = true;
      this.body?.drop();
      error.packet = bytes.subarray(start, end);
      connection.refuse(error);
    } finally {
      outgoing.isHolding = false;
    }
    if (connection.isDone) return connection.closeAfterLast(current?.head, position === end);
    outgoing.flush();
    // Kept for later. Reading goes on, within bounds: otherwise the client's FIN behind these bytes would not be noticed.
    if (position < end && !connection.isClosing) {
      this.unread = new Unread();
      this.keep(this.unread, bytes.subarray(position, end));
    }
    if (connection.isEndWaiting) connection.takeEnd();
    else connection.updatePhase();
  }

  private begin(head: RequestHead): Exchange {
    const isPipelined = this.isBehind;
    this.arrived = undefined;
    this.isBehind = true;
    this.body?.begin();
    return this.connection.begin(head, isPipelined);
  }

  private keep(unread: Unread, bytes: Buffer): void {
    unread.add(bytes);
    if (unread.isFull) this.connection.wire.pause();
  }

  private passBody(): void {
    if (this.body === undefined) return;
    const taker = this.connection.exchange ?? (this.answered?.isBodyPending === true ? this.answered : undefined);
    if (!this.body.pass(taker)) this.connection.close();
  }
}
