/**
 * Sends bytes on a connection. While requests are read, text is held back, so that pipelined answers share a write. It also
 * notices a client that takes nothing. What the bytes mean is decided elsewhere.
 */

import type { Bytes } from '../exchange.ts';
import type { HeldAnswers } from '../held-answers.ts';
import { maxHeldBytes } from '../limits.ts';
import type { Wire } from '../wire/wire.ts';

export interface OutgoingEvents {
  readonly wire: Wire;
  /** How long a client may take nothing of what was sent. */
  readonly stallMs: number;
  /** This many bytes were written. */
  noteWritten(bytes: number): void;
  /** The client has taken nothing for that long. */
  takeStall(): void;
}

export class Outgoing {
  /** Whether text waits for `flush`, or until there is much of it. */
  isHolding = false;
  /** Whether the client has not taken what was sent: it gets no further answer until it has. */
  isBackedUp = false;
  private readonly owner: { readonly user: OutgoingEvents | undefined };
  private readonly limitBytes: number;
  private readonly heldAnswers: HeldAnswers | undefined;
  private held = '';
  /** Writes under way: a stream in the same process may bring bytes, or its end, amid a write. */
  private writing = 0;
  /** Where the current answer begins in the text held back; -1 once something of it may be on the wire. */
  private answerStart = -1;

  /**
   * @param owner says whose bytes go out
   * @param limitBytes how much waits for a slow client before the app has to wait
   * @param heldAnswers asked beyond that
   */
  constructor(owner: { readonly user: OutgoingEvents | undefined }, limitBytes: number, heldAnswers?: HeldAnswers) {
    this.owner = owner;
    this.heldAnswers = heldAnswers;
    this.limitBytes = limitBytes;
  }

  /** Nothing goes out for now. */
  leave(): void {
    this.answerStart = -1;
  }

  /** Whether nothing waits here, nor for the client. */
  get isClean(): boolean {
    return this.held === '' && !this.isHolding && this.writing === 0 && !this.isBackedUp;
  }

  private get events(): OutgoingEvents {
    return this.owner.user!;
  }

  private get wire(): Wire {
    return this.events.wire;
  }

  sendText(text: string): boolean {
    if (!this.isHolding) return this.write(text);
    this.held += text;
    return this.held.length < maxHeldBytes || this.flush();
  }

  sendBytes(head: string, bytes: Bytes, tail: string): boolean {
    const { held, answerStart } = this;
    const prefix = held + head;
    this.held = '';
    this.answerStart = -1;
    let length: number;
    let isTaking: boolean;
    this.writing++;
    try {
      length = prefix.length + bytes.byteLength + tail.length;
      isTaking = this.wire.writeTogether(prefix, bytes, tail);
    } catch (error) {
      // An array of the app's own kind may throw when it is read. Nothing was written, so the answers before this one still wait.
      this.writing--;
      this.held = held;
      this.answerStart = answerStart;
      throw error;
    }
    return this.note(isTaking, length);
  }

  /** @returns whether the app may go on */
  flush(): boolean {
    const text = this.held;
    if (text === '') return true;
    this.held = '';
    this.answerStart = -1;
    return this.write(text);
  }

  /** The next text is an answer's first. */
  markAnswer(): void {
    this.answerStart = this.isHolding ? this.held.length : -1;
  }

  /** Takes back what was sent of the answer under way. @returns whether none of it was on the wire yet */
  retract(): boolean {
    if (this.answerStart === -1) return false;
    this.held = this.held.slice(0, this.answerStart);
    this.answerStart = -1;
    return true;
  }

  /** What waits for the next write. */
  get heldBytes(): number {
    return this.held.length;
  }

  private write(text: string): boolean {
    this.writing++;
    return this.note(this.wire.write(text), text.length);
  }

  private note(isTaking: boolean, bytes: number): boolean {
    this.writing--;
    this.events.noteWritten(bytes);
    if (isTaking) return true;
    // What the kernel took at once is no more than a large write.
    if (this.wire.pendingBytes > 0) this.isBackedUp = true;
    this.watchStall();
    if (this.wire.isDestroyed) return false;
    return this.wire.pendingBytes < this.limitBytes || this.heldAnswers?.mayHoldMore === true;
  }

  /** From now on, a client that takes nothing is cut in time. */
  watchStall(): void {
    const { events } = this;
    events.wire.watchStall(events.stallMs, () => events.takeStall());
  }

  /** The time that a client may take nothing has changed. */
  watchStallAnew(): void {
    if (this.wire.pendingBytes === 0) return;
    this.wire.watchStall(0);
    this.watchStall();
  }

  /** The client has taken all of it. */
  noteDrained(): void {
    this.wire.watchStall(0);
    this.isBackedUp = false;
  }
}
