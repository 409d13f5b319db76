/**
 * HTTP/1.1 requests out of bytes (RFC 9112). Knows no socket and waits for nothing: bytes in, calls on a sink out, and
 * however the bytes were cut, the calls say the same. A request that breaks the rules throws HttpError, and the parser
 * must not be fed again: what follows cannot be trusted to be a request.
 *
 * Lines are latin1 strings (`line-reader.ts`); bodies stay bytes. Both were the fastest ways measured.
 */

import { HttpError } from '../errors.ts';
import type { Allowances } from '../extras.ts';
import { RequestHead } from '../head.ts';
import { type Limits, maxChunkExtensionBytes, maxChunkLineBytes, maxEmptyLines } from '../limits.ts';
import { viewOf } from '../wire/buffers.ts';
import { fieldNameAt, fieldValueAt } from './field-line.ts';
import { readFraming, readRequestLine } from './framing.ts';
import { canBegin, chunkLineForm, tokenForm } from './grammar.ts';
import { KnownHeads } from './known-heads.ts';
import { LineReader } from './line-reader.ts';
import { lineEnd, QuickLine, takeQuickFields } from './quick-head.ts';

/** What the parser calls. All calls are made while `feed` runs. */
export interface RequestSink {
  onHead(head: RequestHead): void;
  /** A piece of the body: the fed bytes from `start` to `end`. One call for each chunk, however small. */
  onBody(bytes: Buffer, start: number, end: number): void;
  /** The request is complete. Trailers have been checked. */
  onEnd(): void;
}

const State = {
  requestLine: 0,
  fieldLine: 1,
  chunkLine: 2,
  chunkEnd: 3,
  trailerLine: 4,
  /** In these two, bytes are read, not lines. */
  lengthBody: 5,
  chunkBody: 6,
} as const;
type State = (typeof State)[keyof typeof State];

const quickLine = new QuickLine();
export class RequestParser extends LineReader {
  private readonly limits: Limits;
  private readonly sink: RequestSink;
  private readonly fieldLimit: number;
  private readonly allowances: Allowances | undefined;
  private readonly known: KnownHeads;
  private state: State = State.requestLine;
  private head: RequestHead | undefined = undefined;
  private emptyLines = 0;
  private trailerLines = 0;
  private extensionBytes = 0;
  /** Bytes still to come of a body with a length, or of a chunk. */
  private remaining = 0;
  private bodyBytes = 0;
  /** Whether `quickLine` is that of the head that begins. */
  private hasLine = false;

  /** @param known heads of all parsers with the same limits */
  constructor(limits: Limits, sink: RequestSink, allowances?: Allowances, known = new KnownHeads()) {
    super();
    this.known = known;
    this.limits = limits;
    this.sink = sink;
    this.allowances = allowances;
    this.fieldLimit = limits.fieldBytes || Number.POSITIVE_INFINITY;
  }

  /** Whether no byte of the next request has come. Empty lines before it do not count (RFC 9112 §2.2). */
  get isIdle(): boolean {
    return this.state === State.requestLine && this.partialLength === 0;
  }

  /** Whether nothing is known of a next request, nor that it was announced by empty lines, which are counted. */
  get isFresh(): boolean {
    return this.isIdle && this.emptyLines === 0;
  }

  /** Whether a head has begun and is not complete. */
  get isInHead(): boolean {
    return this.state <= State.fieldLine && !this.isIdle;
  }

  /** Bytes still to come of a body, or of the current chunk of one. */
  get bodyRemaining(): number {
    return this.state >= State.lengthBody ? this.remaining : 0;
  }

  /** What was read of a request that breaks the rules: the error's answer depends on it. */
  get brokenHead(): RequestHead {
    return this.head ?? new RequestHead();
  }

  /**
   * Reads `bytes` from `start` to `end`, and stops when a head or a request is complete. What follows in the same bytes is
   * fed with a `start` above 0; a `start` of 0 says that the bytes are new.
   * @returns where it stopped: `end`, or the first byte of what follows
   * @throws HttpError
   */
  feed(bytes: Buffer, start: number, end: number): number {
    let position = start;
    if (start === 0) this.text = '';
    while (position < end) {
      if (this.state >= State.lengthBody) {
        const stop = Math.min(end, position + this.remaining);
        this.takeBody(bytes, position, stop);
        position = stop;
        if (this.state === State.requestLine) break;
        continue;
      }
      const isFirst = this.text === '' && this.isIdle;
      // Of what is looked up, only the request line becomes text.
      if (isFirst && this.takeKnown(bytes, position, end)) return end;
      if (position >= this.textStart + this.text.length || this.text === '') this.decode(bytes, position, end);
      const { text, textStart } = this;
      if (this.isIdle && !canBegin(text.charCodeAt(position - textStart))) throw new HttpError(400, 'malformed method');
      if (this.partialLength === 0 && this.state <= State.fieldLine) {
        const view = viewOf(bytes);
        const { state } = this;
        position = this.takeQuickly(view, position);
        if (this.isAtHeadEnd(view, position)) {
          position += 2;
          readFraming(this.head!, this.allowances);
          if (isFirst && state === State.requestLine && position === end)
            this.known.keep(view, quickLine.end, end, this.head!);
          this.endHead();
          break;
        }
      }
      const lineFeed = text.indexOf('\n', position - textStart);
      if (lineFeed === -1) {
        this.hold(text.slice(position - textStart));
        position = textStart + text.length;
        continue;
      }
      const line = this.takePartial(text, position - textStart, lineFeed);
      position = textStart + lineFeed + 1;
      if (this.takeLine(line)) break;
    }
    // An idle connection keeps no text.
    if (position >= end) this.text = '';
    return position;
  }

  /** Takes a head that ends what was read, if its fields are known. */
  private takeKnown(bytes: Buffer, start: number, end: number): boolean {
    const view = viewOf(bytes);
    this.hasLine = quickLine.find(view, start, end, this.limits);
    if (!this.hasLine) return false;
    const section = this.known.find(view, quickLine.end, end);
    this.hasLine = section === undefined;
    if (section === undefined) return false;
    const head = section.makeHead();
    quickLine.readFrom(bytes, head);
    this.head = head;
    this.endHead();
    return true;
  }

  /** Reads the complete lines of a head that have the common form. @returns where it stopped */
  private takeQuickly(bytes: DataView, start: number): number {
    const { limits, text, textStart } = this;
    let position = start;
    if (this.state === State.requestLine) {
      const limit = textStart + text.length;
      const isFound = this.hasLine ? quickLine.end <= limit : quickLine.find(bytes, start, limit, limits);
      this.hasLine = false;
      if (!isFound) return start;
      const head = new RequestHead();
      quickLine.read(text, textStart, head);
      this.head = head;
      this.state = State.fieldLine;
      position = quickLine.end;
    }
    return takeQuickFields(bytes, position, text, textStart, limits, this.head!);
  }

  private isAtHeadEnd(bytes: DataView, position: number): boolean {
    if (this.state !== State.fieldLine || position + 1 >= this.textStart + this.text.length) return false;
    return bytes.getUint16(position) === lineEnd;
  }

  protected get lineLimit(): number {
    if (this.state === State.requestLine) return this.limits.requestLineBytes || Number.POSITIVE_INFINITY;
    if (this.state === State.chunkLine) return maxChunkLineBytes;
    return this.state === State.chunkEnd ? 0 : this.fieldLimit;
  }

  protected tooLong(line: string): HttpError {
    if (this.state === State.chunkLine) return new HttpError(400, 'a chunk-size line is too long');
    if (this.state === State.chunkEnd) return new HttpError(400, 'a chunk must end in CRLF');
    if (this.state !== State.requestLine) return new HttpError(431, 'a header field is too long');
    // Up to the first byte too many, which is the same however the line was cut. RFC 9112 §3: too long a method is 501, too
    // long a target 414.
    const isMethod = tokenForm.test(line.slice(0, this.limits.requestLineBytes + 1));
    return isMethod ? new HttpError(501, 'no such method') : new HttpError(414, 'the request line is too long');
  }

  /** @returns whether the line ended a head or a request */
  private takeLine(line: string): boolean {
    switch (this.state) {
      case State.requestLine:
        return this.takeRequestLine(line);
      case State.fieldLine:
        if (line !== '') return this.takeField(line, 0, line.length);
        readFraming(this.head!, this.allowances);
        return this.endHead();
      case State.chunkLine:
        return this.takeChunkLine(line);
      case State.chunkEnd:
        this.state = State.chunkLine;
        return false;
      default:
        return line === '' ? this.endRequest() : this.takeTrailer(line);
    }
  }

  private takeRequestLine(line: string): false {
    if (line === '') {
      if (++this.emptyLines > maxEmptyLines) throw new HttpError(400, 'too many empty lines before a request');
      return false;
    }
    const head = new RequestHead();
    readRequestLine(line, head, this.allowances);
    this.head = head;
    this.state = State.fieldLine;
    return false;
  }

  /** Takes the field line from `start` to `end`, where its CRLF begins. */
  private takeField(text: string, start: number, end: number): false {
    const { names, values } = this.head!;
    const count = names.length;
    if (count >= this.limits.fieldCount) throw new HttpError(431, 'too many header fields');
    const name = fieldNameAt(text, start, end, count > 0 ? names[count - 1] : undefined);
    names.push(name);
    values.push(fieldValueAt(text, start + name.raw.length + 1, end));
    return false;
  }

  private endHead(): true {
    const head = this.head!;
    const { bodyBytes } = this.limits;
    if (bodyBytes > 0 && head.contentLength > bodyBytes) throw new HttpError(413, 'the body is too large');
    this.bodyBytes = 0;
    if (head.isChunked) this.state = State.chunkLine;
    else if (head.contentLength > 0) {
      this.state = State.lengthBody;
      this.remaining = head.contentLength;
    }
    this.sink.onHead(head);
    if (!head.hasBody) this.endRequest();
    return true;
  }

  private takeChunkLine(line: string): false {
    const [, digits, extensions = ''] = chunkLineForm.exec(line) ?? [];
    if (digits === undefined) throw new HttpError(400, 'malformed chunk size');
    this.extensionBytes += extensions.length;
    if (this.extensionBytes > maxChunkExtensionBytes) throw new HttpError(400, 'too many chunk extensions');
    this.remaining = Number.parseInt(digits, 16);
    this.state = this.remaining === 0 ? State.trailerLine : State.chunkBody;
    const { bodyBytes } = this.limits;
    if (bodyBytes > 0 && this.bodyBytes + this.remaining > bodyBytes) throw new HttpError(413, 'the body is too large');
    return false;
  }

  private takeBody(bytes: Buffer, start: number, stop: number): void {
    this.remaining -= stop - start;
    this.bodyBytes += stop - start;
    this.sink.onBody(bytes, start, stop);
    if (this.remaining > 0) return;
    if (this.state === State.chunkBody) this.state = State.chunkEnd;
    else this.endRequest();
  }

  /** Trailers (RFC 9112 §7.1.2) are held to the rules of fields, and kept apart: none may change what the head said. */
  private takeTrailer(line: string): false {
    if (++this.trailerLines > this.limits.fieldCount) throw new HttpError(431, 'too many trailer fields');
    const name = fieldNameAt(line, 0, line.length, undefined);
    const value = fieldValueAt(line, name.raw.length + 1, line.length);
    // What frames, routes or describes the message may not come so late (RFC 9110 §6.5.1).
    if (name.kind !== 'other') return false;
    const head = this.head!;
    head.trailers ??= [];
    head.trailers.push(name.raw, value);
    return false;
  }

  private endRequest(): true {
    this.state = State.requestLine;
    this.head = undefined;
    this.emptyLines = 0;
    this.trailerLines = 0;
    this.extensionBytes = 0;
    this.sink.onEnd();
    return true;
  }
}
