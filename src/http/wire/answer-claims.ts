/**
 * Which connections the watchdog's thread may answer, in memory that it shares with the main thread. If the main thread
 * hangs, the watchdog sends a 503 to each client whose answer has not begun. Either of the two claims a connection by
 * compare-and-exchange before its first byte, so that never both of them write. Pure: it knows no socket.
 *
 * The index is the descriptor. It can be reused, so the main thread gives the entry back before it closes the descriptor,
 * and waits while the watchdog is at work on it.
 */

/**
 * `open`: no byte of an unfinished answer is sent. `answering`: the main thread has it, until the kernel has all of the
 * answer. `claimed`: the watchdog is at work on it. `done`: the watchdog has answered, and nothing may be written any more.
 */
const state = { free: 0, open: 1, answering: 2, claimed: 3, done: 4 } as const;

/** Connections with a higher descriptor are not covered. Untouched memory is not resident: a full table takes 320 KiB. */
const capacity = 64 * 1024;
const requestsAt = capacity * Int32Array.BYTES_PER_ELEMENT;
/** The watchdog needs microseconds for one connection; one that has died would keep the main thread waiting. */
const longestWaitMs = 1000;

export class AnswerClaims {
  readonly shared: SharedArrayBuffer;
  private readonly states: Int32Array;
  /** Whether a request has come. Only for the watchdog's choice; the states decide who may write. */
  private readonly requests: Uint8Array;
  /** By descriptor. A descriptor is one connection's at a time, so the next one with it takes over the object. */
  private readonly held: AnswerClaim[] = [];

  /** @param shared the memory of another thread; new memory if absent */
  constructor(shared = new SharedArrayBuffer(requestsAt + capacity)) {
    this.shared = shared;
    this.states = new Int32Array(shared, 0, capacity);
    this.requests = new Uint8Array(shared, requestsAt, capacity);
  }

  // The main thread's.

  /** A new connection. @returns undefined if its descriptor is not covered */
  open(fd: number): AnswerClaim | undefined {
    if (!(fd >= 0 && fd < capacity)) return undefined;
    this.requests[fd] = 0;
    Atomics.store(this.states, fd, state.open);
    this.held[fd] ??= new AnswerClaim(this, fd);
    return this.held[fd];
  }

  noteRequest(fd: number, hasCome: 0 | 1): void {
    this.requests[fd] = hasCome;
  }

  /** @returns whether the main thread may answer */
  beginAnswer(fd: number): boolean {
    return Atomics.compareExchange(this.states, fd, state.open, state.answering) === state.open;
  }

  /** A plain store, since only this side changes `answering`; a barrier would cost. */
  endAnswer(fd: number): void {
    this.states[fd] = state.open;
  }

  /** The descriptor is about to be closed. A plain store ends `answering`, as in `endAnswer`. */
  giveBackAnswering(fd: number): void {
    this.states[fd] = state.free;
  }

  /** The same in any other state. */
  giveBack(fd: number): void {
    const { states } = this;
    for (;;) {
      const current = Atomics.load(states, fd);
      if (current === state.claimed && Atomics.wait(states, fd, state.claimed, longestWaitMs) !== 'timed-out') continue;
      if (Atomics.compareExchange(states, fd, current, state.free) === current) return;
    }
  }

  // The watchdog's.

  /** Claims each connection that has no answer under way, and gives it back when `use` has returned. */
  claimAll(use: (fd: number, hasRequest: boolean) => void): void {
    for (let fd = 0; fd < capacity; fd++) if (this.claim(fd)) this.finish(fd, () => use(fd, this.requests[fd] === 1));
  }

  /** Claims one once more that was claimed before, unless its descriptor is closed by now. */
  claimAgain(fd: number, use: () => void): void {
    if (Atomics.compareExchange(this.states, fd, state.done, state.claimed) === state.done) this.finish(fd, use);
  }

  /** One step of `claimAll`. @returns whether the watchdog may write, until `release` */
  claim(fd: number): boolean {
    return Atomics.compareExchange(this.states, fd, state.open, state.claimed) === state.open;
  }

  release(fd: number): void {
    Atomics.store(this.states, fd, state.done);
    Atomics.notify(this.states, fd);
  }

  private finish(fd: number, use: () => void): void {
    try {
      use();
    } finally {
      this.release(fd);
    }
  }
}

/** The main thread's hold of one connection. */
export class AnswerClaim {
  private readonly claims: AnswerClaims;
  readonly descriptor: number;
  private isAnswering = false;

  constructor(claims: AnswerClaims, descriptor: number) {
    this.claims = claims;
    this.descriptor = descriptor;
  }

  /** Asked before each write. @returns false once the watchdog has answered */
  mayWrite(): boolean {
    this.isAnswering ||= this.claims.beginAnswer(this.descriptor);
    return this.isAnswering;
  }

  /** A request, or a part of one, has come. */
  noteRequest(): void {
    this.claims.noteRequest(this.descriptor, 1);
  }

  /** The client waits for no answer. @param isSent whether the kernel has all that was written */
  noteIdle(isSent: boolean): void {
    this.claims.noteRequest(this.descriptor, 0);
    this.noteUnanswered(isSent);
  }

  /** Only interim answers were sent for the request. @param isSent as above */
  noteUnanswered(isSent: boolean): void {
    if (!this.isAnswering || !isSent) return;
    this.isAnswering = false;
    this.claims.endAnswer(this.descriptor);
  }

  /** Called once, at the end of the connection; after that the object may be another connection's. */
  giveBack(): void {
    if (this.isAnswering) this.claims.giveBackAnswering(this.descriptor);
    else this.claims.giveBack(this.descriptor);
    this.isAnswering = false;
  }
}
