/**
 * How many streams of one connection begin in one turn of the event loop. A single read of 64 KiB may hold two thousand requests,
 * and their resets right behind them. Those beyond the limit wait for the next turn: other connections are served meanwhile, and a
 * stream that its client has taken back by then never reaches the app.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { maxStreams } from './session-options.ts';

const streamsOfTurn = 32;

export interface TurnEvents<Stream> {
  /** A stream that has waited begins. */
  begin(stream: Stream): void;
  /** Whether its client has taken it back. */
  isOver(stream: Stream): boolean;
  /** Called in place of `begin`. */
  noteOver(): void;
}

export class StreamTurns<Stream> {
  private readonly events: TurnEvents<Stream>;
  private waiting: Stream[] = [];
  private begun = 0;

  constructor(events: TurnEvents<Stream>) {
    this.events = events;
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  /** @returns whether the caller begins it now; else it waits, and is begun in its turn */
  mayBegin(stream: Stream): boolean {
    if (this.begun < streamsOfTurn) {
      this.begun++;
      // Streams of several turns may have come to this number: only from here on it matters which turn it is.
      if (this.begun === streamsOfTurn) setImmediate(this.beginNext);
      return true;
    }
    this.waiting.push(stream);
    // More cannot be open at once. Those taken back are counted now, so that a flood of them ends within this turn.
    if (this.waiting.length > maxStreams || this.events.isOver(this.waiting[0]!)) this.dropOver();
    return false;
  }

  private dropOver(): void {
    const { waiting, events } = this;
    this.waiting = waiting.filter((stream) => !events.isOver(stream));
    for (let left = waiting.length - this.waiting.length; left > 0; left--) events.noteOver();
  }

  private readonly beginNext = (): void => {
    this.begun = 0;
    try {
      while (this.waiting.length > 0 && this.begun < streamsOfTurn) {
        this.begun++;
        this.events.begin(this.waiting.shift()!);
      }
    } finally {
      // An app's own classes may throw: the rest still has its turn, and nobody overtakes it.
      if (this.waiting.length > 0) this.begun = streamsOfTurn;
      if (this.begun === streamsOfTurn) setImmediate(this.beginNext);
    }
  };
}
