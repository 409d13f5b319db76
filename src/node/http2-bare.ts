/**
 * Streams of `node:http2` that Node has not made. Its session makes a Duplex for each request, which an answer in one piece does
 * not need. For sessions that ask for it, the constructor that all streams go through makes a bare one in its place.
 */

import { channel } from 'node:diagnostics_channel';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { canAnswerWhole, handleOf, type StreamHandle } from './http2-handle.ts';
import { symbolOf } from './objects.ts';
import { internalsAreOff } from './switch.ts';

/** The code that handles a stream. */
export interface StreamOwner {
  /** Node's own stream is there from now on. */
  takeMade(stream: ServerHttp2Stream): void;
  /** The stream is closed, by either side. */
  takeClose(): void;
}

/** A stream that a client has opened. */
export interface OpenedStream {
  /** Node's own, once it is made. */
  readonly made: ServerHttp2Stream | undefined;
  readonly handle: StreamHandle | undefined;
  owner: StreamOwner | undefined;
  /** Whether it is closed. */
  readonly isOver: boolean;
  /** Of RFC 9113 §7, once it is closed. */
  readonly errorCode: number;
  /** Must not be called after the stream has ended. */
  make(): ServerHttp2Stream;
  destroy(): void;
}

/** Another copy of tsgun in this process may have put its own constructor in: there, Node's is under this name. */
const behind = Symbol.for('tsgun.http2.behind');

interface Gate {
  readonly prototype: object;
  readonly [behind]?: object;
}

const isSparing = Symbol('tsgun.sparing');

export function spare(session: ServerHttp2Session): void {
  Reflect.set(session, isSparing, true);
}

interface BareHandle extends StreamHandle {
  owner?: BareStream;
  onread?: (this: BareHandle, bytes: unknown) => unknown;
  rstStream(code: number): void;
  destroy(): void;
}

interface SessionState {
  readonly streams: Pick<Map<number, object>, 'set' | 'delete'>;
  readonly goawayCode: number | null;
  readonly destroyCode: number;
}

/** The versions that `test/node` runs on. */
const knownMajors = new Set(['20', '22', '24', '26']);
/** Subscribers of these get Node's own streams. */
const channels = ['created', 'start', 'finish', 'close', 'error'].map((name) => channel(`http2.server.stream.${name}`));

function isTraced(): boolean {
  for (const { hasSubscribers } of channels) if (hasSubscribers) return true;
  return false;
}

/** What Node's own code calls things, and its constructor of streams. */
interface Lore {
  readonly Made: {
    new (session: object, handle: BareHandle, id: number, options: object, fields: object): object;
    readonly prototype: object;
  };
  readonly state: symbol;
  readonly owner: symbol;
  readonly maybeDestroy: symbol;
}

/** Undefined before the first stream; null if Node's streams are others than those that are known here. */
let lore: Lore | null | undefined;
let isMaking = false;

/** The state of all bare streams for Node's code, which only writes to it. Between two calls, the code is -1. */
const scratch = { flags: 0, rstCode: -1, fd: -1, endAfterHeaders: false };
const ended = { ending: true };

export class BareStream implements OpenedStream {
  made: ServerHttp2Stream | undefined = undefined;
  owner: StreamOwner | undefined = undefined;
  handle: BareHandle | undefined = undefined;
  private readonly of: ServerHttp2Session;
  private code = 0;
  private id = 0;
  private isAtEnd = false;
  private isDestroyed = false;

  constructor(session: ServerHttp2Session) {
    this.of = session;
  }

  get isOver(): boolean {
    const { made } = this;
    return made === undefined ? this.isDestroyed : made.destroyed || made.closed;
  }

  get errorCode(): number {
    return this.made?.rstCode ?? this.code;
  }

  make(): ServerHttp2Stream {
    if (this.made !== undefined) return this.made;
    isMaking = true;
    try {
      this.made = new lore!.Made(this.of, this.handle!, this.id, {}, {}) as ServerHttp2Stream;
    } finally {
      isMaking = false;
    }
    const { made, owner } = this;
    made.on('error', ignore);
    if (this.isAtEnd) made.push(null);
    owner?.takeMade(made);
    return made;
  }

  // From here on: what Node's own code uses of a stream. It has the handle, and knows nothing of `made`.

  begin(id: number, handle: BareHandle): void {
    this.id = id;
    this.handle = handle;
    (handle as unknown as Record<symbol, object>)[lore!.owner] = this;
    handle.onread = readBare;
    stateOf(this.of).streams.set(id, this);
  }

  get session(): ServerHttp2Session {
    return this.of;
  }

  get readable(): boolean {
    return false;
  }

  get destroyed(): boolean {
    return this.isOver;
  }

  get closed(): boolean {
    return this.isOver;
  }

  get state(): object {
    return this.made === undefined ? scratch : (Reflect.get(this.made, lore!.state) as object);
  }

  get _writableState(): object {
    return ended;
  }

  /** The end of the body, for a request without one. */
  push(end: null): boolean {
    if (this.made !== undefined) return this.made.push(end);
    this.isAtEnd = true;
    return false;
  }

  /** The answer to HEAD has no body. */
  end(): void {
    this.make().end();
  }

  emit(name: string, ...rest: unknown[]): boolean {
    return this.made?.emit(name, ...rest) ?? false;
  }

  close(code?: number): void {
    if (!this.isOver) this.make().close(code);
  }

  destroy(error?: Error): void {
    if (this.made !== undefined) return void this.made.destroy(error);
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    const { of: session, handle, owner, id } = this;
    const { streams, goawayCode, destroyCode } = stateOf(session);
    const isClosed = scratch.rstCode !== -1;
    this.code = isClosed ? scratch.rstCode : goawayCode || destroyCode;
    scratch.rstCode = -1;
    try {
      owner?.takeClose();
    } finally {
      this.owner = undefined;
      this.handle = undefined;
      if (!isClosed) handle!.rstStream(this.code);
      handle!.destroy();
      streams.delete(id);
      // Not at once: nghttp2 may be at work.
      if (session.closed) setImmediate(() => (Reflect.get(session, lore!.maybeDestroy) as () => void).call(session));
    }
  }
}

function stateOf(session: ServerHttp2Session): SessionState {
  return (session as unknown as Record<symbol, SessionState>)[lore!.state]!;
}

/** A body comes before anyone has asked for the stream. */
function readBare(this: BareHandle, bytes: unknown): unknown {
  this.owner!.make();
  return this.onread!(bytes);
}

/** Looks at the first stream that Node has made. */
export function learn(stream: ServerHttp2Stream): void {
  const { session } = stream;
  const handle = handleOf(stream) as BareHandle | undefined;
  // One that its client has reset already has neither.
  if (lore !== undefined || session === undefined || handle === undefined) return;
  lore = null;
  if (!canAnswerWhole || internalsAreOff) return;
  const Made = stream.constructor as Lore['Made'];
  const Base = Object.getPrototypeOf(Made) as Gate;
  if (!knownMajors.has(process.versions.node.split('.', 1)[0]!) || Made.name !== 'ServerHttp2Stream') return;
  if (Object.getPrototypeOf(Base[behind] ?? Base) !== Duplex) return;
  const init = symbolOf(Base.prototype, 'init');
  const updateTimer = symbolOf(Base.prototype, 'kUpdateTimer');
  const maybeDestroy = symbolOf(Base.prototype, 'kMaybeDestroy');
  const state = symbolOf(stream, 'state');
  const sessionOf = symbolOf(stream, 'kSession');
  const owner = symbolOf(handle, 'owner_symbol');
  if (init === undefined || updateTimer === undefined || maybeDestroy === undefined) return;
  if (state === undefined || sessionOf === undefined || owner === undefined) return;
  if (!isKnown(session, handle, state, maybeDestroy)) return;
  lore = { Made, state, owner, maybeDestroy };
  const { prototype } = BareStream;
  // What is not known here is at least a method of such a stream, or undefined.
  Object.setPrototypeOf(prototype, Made.prototype);
  Object.defineProperties(prototype, {
    [init]: { value: prototype.begin },
    [state]: Object.getOwnPropertyDescriptor(prototype, 'state')!,
    [sessionOf]: Object.getOwnPropertyDescriptor(prototype, 'session')!,
    [updateTimer]: { value: ignore },
    // Node stops the stream's timer.
    setTimeout: { value: ignore },
    removeAllListeners: { value: ignore },
    [maybeDestroy]: { value: destroyThis },
  });
  Object.setPrototypeOf(Made, gateTo(Base));
}

function isKnown(session: object, handle: BareHandle, state: symbol, maybeDestroy: symbol): boolean {
  const { streams } = (Reflect.get(session, state) ?? {}) as Partial<SessionState>;
  return (
    typeof streams?.set === 'function' &&
    typeof streams.delete === 'function' &&
    typeof handle.rstStream === 'function' &&
    typeof handle.destroy === 'function' &&
    typeof Reflect.get(session, maybeDestroy) === 'function'
  );
}

/** A constructor that stands between that of a server's streams and the one that it calls. */
function gateTo(Base: Gate): Gate {
  function Http2Stream(session: ServerHttp2Session, options: object): object {
    return !isMaking && (session as { [isSparing]?: boolean })[isSparing] === true && !isTraced()
      ? new BareStream(session)
      : Reflect.construct(Base as never, [session, options], new.target as never);
  }
  Http2Stream.prototype = Base.prototype;
  return Object.assign(Http2Stream, { [behind]: Base[behind] ?? Base });
}

function destroyThis(this: BareStream): void {
  this.destroy();
}

function ignore(): void {}
