/**
 * A client's connection that speaks HTTP/2 (RFC 9113). Node's own session reads and writes the frames; here it is decided how
 * many streams there are, when the connection ends, and what a client may do that costs it nothing.
 */

import type { ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type OpenedStream, openedStream } from '../../node/http2-streams.ts';
import type { Ends } from '../ends.ts';
import type { Attachment, Exchange } from '../exchange.ts';
import { type Phase, Waits } from '../h1/waits.ts';
import type { Host, Waiting, Worth } from '../host.ts';
import { type Member, MemberList } from '../member-list.ts';
import { Allowance } from './allowance.ts';
import { ErrorCode } from './error-codes.ts';
import { dropTooManyResets } from './held-resets.ts';
import { Pulse } from './pulse.ts';
import { type Carrier, RequestStream } from './request-stream.ts';
import { openSession } from './session.ts';
import { StreamTurns } from './stream-turns.ts';

const endStream = 1;
/** What the frames of a request may take besides its body. Further bytes count as noise: pings, priorities, empty frames. */
const headBytes = 16 * 1024;
/** Browsers reset a few dozen at once where a page is left. */
const resetBurst = 200;

export interface Http2Events {
  /** A client was cut off because of what it did. */
  readonly onFlood: (peer: string, of: string) => void;
}

/** A stream that its client has opened, and that no request is made of yet. */
interface Asked {
  readonly stream: OpenedStream;
  readonly raw: readonly string[];
  /** Whether no body follows. */
  readonly isEnd: boolean;
  trailers: readonly string[] | undefined;
}

export class H2Connection implements Carrier, Waiting, Member {
  place = -1;
  readonly ends: Ends;
  readonly known: object;
  readonly spares: Attachment[] = [];
  private readonly host: Host;
  private readonly events: Http2Events;
  private readonly socket: Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number };
  private readonly session: ServerHttp2Session;
  private readonly streams = new MemberList<RequestStream>();
  private readonly waits: Waits;
  private isClosing = false;
  private isGone = false;
  private requests = 0;
  private readonly turns = new StreamTurns<Asked>({
    begin: (asked) => this.serve(asked, true),
    isOver: ({ stream }) => stream.isOver,
    noteOver: () => this.noteTakenBack(),
  });
  private readonly resets = new Allowance(resetBurst, 50);
  private readonly controls = new Allowance(200, 20);
  private readonly noise = new Allowance(1024 * 1024, 256 * 1024);
  /** As of the last sweep. */
  private counted = { read: 0, written: 0, requests: 0, bodies: 0 };
  private bodyBytes = 0;
  private readonly pulse = new Pulse();

  /** @param known what the server knows the connection by */
  constructor(host: Host, events: Http2Events, socket: Duplex, ends: Ends, known: object) {
    this.host = host;
    this.events = events;
    this.socket = socket;
    this.ends = ends;
    this.known = known;
    this.waits = new Waits(host);
    const isTooMuch = dropTooManyResets(socket, resetBurst);
    this.session = openSession(socket, host.limits);
    this.session.on('stream', (stream: object, _fields: unknown, flags: number, raw?: readonly string[]) =>
      this.begin(openedStream(stream), raw ?? [], (flags & endStream) !== 0),
    );
    this.session.on('ping', () => this.takeControl('PING'));
    this.session.on('remoteSettings', () => this.takeControl('SETTINGS'));
    socket.on('error', ignore);
    socket.once('end', () => this.destroy());
    socket.once('close', () => this.takeClose());
    // Not ahead of Node, which hands the session what is held in the next tick.
    if (isTooMuch) process.nextTick(() => this.calm('reset streams'));
  }

  // From the session.

  private begin(stream: OpenedStream, raw: readonly string[], isEnd: boolean): void {
    if (this.isGone) return stream.destroy();
    this.requests++;
    const asked: Asked = { stream, raw, isEnd, trailers: undefined };
    if (this.turns.mayBegin(asked)) return this.serve(asked, false);
    if (isEnd || stream.isOver) return;
    stream.make().once('trailers', (_fields: object, _flags: number, trailers: readonly string[] = []) => {
      asked.trailers = trailers;
    });
  }

  private serve({ stream, raw, isEnd, trailers }: Asked, hasWaited: boolean): void {
    if (this.isGone) return stream.destroy();
    // The client has reset it already.
    if (stream.isOver) this.noteTakenBack();
    else {
      if (this.streams.size === 0 && !this.isClosing) this.waits.begin('answer');
      const request: RequestStream = new RequestStream(this.host, this, stream, raw, isEnd, hasWaited);
      if (trailers !== undefined) request.takeTrailers(trailers);
      if (!request.isOver) this.streams.add(request);
      this.checkIdle();
    }
  }

  /** Whether no stream is open. */
  private get isQuiet(): boolean {
    return this.streams.size === 0 && this.turns.waitingCount === 0;
  }

  private takeControl(of: string): void {
    if (!this.controls.take(performance.now())) this.calm(of);
  }

  /** Ends the connection, and tells the client why (RFC 9113 §10.5). */
  private calm(of: string): void {
    if (this.isGone || this.session.destroyed) return;
    this.events.onFlood(this.ends.remote.address, of);
    this.isClosing = true;
    this.session.destroy(new Error(`too much: ${of}`), ErrorCode.enhanceYourCalm);
    this.limitLinger();
  }

  forget(stream: RequestStream, byClient: boolean): void {
    this.bodyBytes += stream.receivedBytes;
    this.streams.delete(stream);
    if (byClient && !this.isGone) this.countReset();
    this.checkIdle();
  }

  /** A stream that waited was reset before it began. */
  private noteTakenBack(): void {
    this.countReset();
    // An idle deadline that is set already is not renewed.
    if (this.waits.phase !== 'idle') this.checkIdle();
  }

  private countReset(): void {
    if (!this.resets.take(performance.now())) this.calm('reset streams');
  }

  private checkIdle(): void {
    if (!this.isQuiet || this.isGone) return;
    if (this.isClosing) return this.limitLinger();
    if (this.host.isDraining || this.host.timeouts.keepAliveMs === 0) return this.close();
    this.waits.beginIdle(false);
  }

  // For the server.

  get exchanges(): Exchange[] {
    return [...this.streams].flatMap(({ exchange }) => (exchange === undefined ? [] : [exchange]));
  }

  get phase(): Phase {
    return this.waits.phase;
  }

  get waitingSince(): number {
    return this.waits.since;
  }

  /** Always passed, so that every sweep checks this connection. */
  get deadline(): number {
    return this.isGone ? 0 : 1;
  }

  get bytesRead(): number {
    return this.socket.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten ?? 0;
  }

  expire(): void {
    const { host, waits } = this;
    this.measure();
    for (const stream of this.streams) stream.expire(host.now);
    if (this.streams.size > 0 && this.hasLost()) return this.destroy();
    if (waits.deadline === 0 || waits.deadline > host.now) return;
    if (waits.phase === 'idle') this.close();
    else if (waits.phase === 'linger') this.socket.destroy();
  }

  private hasLost(): boolean {
    const { host, session } = this;
    if (session.destroyed) return true;
    return this.pulse.check(host.now, this.bytesRead, host.isDraining, () => void session.ping(ignore));
  }

  /** Counts what came and went since the last sweep. */
  measure(): void {
    const { bytesRead: read, bytesWritten: written, counted, requests, host } = this;
    const { traffic } = host.observers;
    traffic[0]! += read - counted.read;
    traffic[1]! += written - counted.written;
    let bodies = this.bodyBytes;
    for (const { receivedBytes } of this.streams) bodies += receivedBytes;
    // DATA frames take nine bytes each beside their content, which may be short.
    const expected = (bodies - counted.bodies) * 2 + (requests - counted.requests) * headBytes;
    this.counted = { read, written, requests, bodies };
    if (!this.noise.take(host.now, Math.max(0, read - counted.read - expected))) this.calm('frames without content');
  }

  checkRequest(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const stream of this.streams) next = Math.min(next, stream.checkRequest(now));
    return next;
  }

  tellUnfinished(): void {
    for (const stream of this.streams) stream.tellUnfinished();
  }

  /** The worker is to leave. A client that has not asked for anything yet gets the time to. */
  beginDrain(): void {
    if (this.requests > 0) this.close();
    else if (!this.isClosing) this.waits.beginIdle(true);
  }

  readonly isUpgraded = false;
  readonly asyncId = undefined;

  sayFarewell(): boolean {
    return true;
  }

  /** Tells the client which stream is the last (GOAWAY), and ends when all streams are answered. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.session.close();
    this.waits.begin('linger');
    if (this.isQuiet) this.limitLinger();
  }

  private limitLinger(): void {
    if (this.waits.phase !== 'linger') this.waits.begin('linger');
    if (this.waits.deadline === 0) this.waits.limitLinger();
  }

  destroy(): void {
    if (!this.session.destroyed) this.session.destroy();
    this.socket.destroy();
  }

  get worth(): Worth | undefined {
    if (!this.isQuiet || this.isGone) return undefined;
    return this.isClosing ? 'nothing' : 'connection';
  }

  makeRoom(): void {
    if (this.worth === 'nothing') this.socket.destroy();
    else if (this.worth === 'connection') this.close();
  }

  private takeClose(): void {
    this.measure();
    this.isGone = true;
    this.isClosing = true;
    this.waits.begin('closed');
    for (const stream of [...this.streams]) stream.takeClose();
    for (const spare of this.spares.splice(0)) spare.takeClose();
    if (!this.session.destroyed) this.session.destroy();
    this.host.forget(this);
  }
}

function ignore(): void {}
