/**
 * Receives what threads say about their requests: as messages, or through the rings that hold small answers (`answer-ring.ts`).
 * It knows when a thread has finished a request, but not which one that thread gets next.
 */

import type { Exchange, Transport } from '../../http/exchange.ts';
import type { Watch } from './answer-ring.ts';
import { AnswerWatch } from './answer-watch.ts';
import type { ThreadHandle } from './handle.ts';
import { AnswerFlag, type AnswerPart, type FromThread, type FromTunnel, revive } from './messages.ts';
import type { Relay } from './relay.ts';
import type { SharesInUse } from './shares.ts';
import { ThreadEnd } from './tunnel.ts';

export type Answering = Pick<ThreadHandle, 'given' | 'tunnels' | 'answers' | 'send' | 'progressAt'>;

/** A message about a request. */
export type OfRequest = Exclude<
  FromThread,
  | { length: 1 }
  | readonly [
      'ready' | 'bootFailed' | 'loaded' | 'line' | 'warning' | 'waits' | 'say' | 'late' | 'connectionFailed',
      ...unknown[],
    ]
>;

type OfFoundRequest = Exclude<OfRequest, FromTunnel>;

export interface ReceptionOptions<T> {
  readonly threads: Iterable<T>;
  readonly watch: Watch;
  readonly shares: SharesInUse;
  /** A failure of the app, for the log. */
  readonly onFailure: (exchange: Exchange, error: unknown) => void;
  /** Threads have finished requests. */
  readonly onFinished: (threads: readonly T[], now: number) => void;
}

export class Reception<T extends Answering> {
  private readonly options: ReceptionOptions<T>;
  private readonly answers: AnswerWatch;
  /** Threads that have finished something since they were last given a request. */
  private readonly finished: T[] = [];

  constructor(options: ReceptionOptions<T>) {
    this.options = options;
    this.answers = new AnswerWatch(options.watch, () => this.drainRings());
  }

  /** A message came, or an answer is in a ring. */
  wake(): void {
    this.answers.wake();
  }

  take(thread: T, message: OfRequest): void {
    if (message[0] === 'tunnelBytes' || message[0] === 'tunnelTaken' || message[0] === 'tunnelEnd')
      return thread.tunnels.get(message[1])?.hear(message);
    // What the thread wrote into its ring comes before this message.
    this.drainRing(thread);
    const relay = requestOf(thread, message[1]);
    if (relay !== undefined) this.pass(thread, relay, message);
    else if (message[0] === 'answer') this.drop(thread, message[1], message[2], message[3]);
  }

  /** The thread has ended: takes what it wrote last. */
  end(thread: T): void {
    this.drainRing(thread);
    const index = this.finished.indexOf(thread);
    if (index !== -1) this.finished.splice(index, 1);
  }

  private pass(thread: T, relay: Relay, message: OfFoundRequest): void {
    const { exchange } = relay;
    switch (message[0]) {
      case 'answer':
        return this.answer(thread, relay, message[2], message[3]);
      case 'read':
        return relay.readBody();
      case 'taken':
        return relay.noteTaken(message[2]);
      case 'heard':
        relay.hasHeard = true;
        return;
      case 'takeOver':
        return takeOver(thread, relay);
      case 'extend':
        return exchange.transport.extendDeadline(exchange, message[2]);
      case 'cut':
        if (!relay.isOver && !exchange.isGone && !exchange.isEnded) exchange.transport.cut();
        return;
      case 'endHeard':
        relay.hasHeardEnd = true;
        return exchange.transport.noteEndHeard?.(exchange, message[2]);
      case 'hangUp':
        return exchange.transport.hangUp(exchange);
      case 'failed':
        if (!relay.isOver) this.options.onFailure(exchange, revive(message[2]));
    }
  }

  private answer(thread: T, relay: Relay, flags: number, answer: AnswerPart): void {
    const isDone = (flags & AnswerFlag.done) !== 0;
    // Before the answer is written: the client's next request may run at once.
    if (isDone) thread.given.delete(relay);
    relay.answer(flags, answer);
    this.noteShared(answer, relay.exchange.transport);
    if (!isDone) return;
    relay.isOver = true;
    if (!this.finished.includes(thread)) this.finished.push(thread);
    if (!this.answers.isOn) this.tellFinished();
  }

  /** Part of an answer that nobody waits for any more. */
  private drop(thread: T, id: number, flags: number, answer: AnswerPart): void {
    this.noteShared(answer, undefined);
    if ((flags & AnswerFlag.confirm) !== 0) thread.send(['out', id, false]);
  }

  private noteShared({ share, bytes }: AnswerPart, transport: Transport | undefined): void {
    if (share !== undefined && bytes !== undefined) this.options.shares.use({ number: share, bytes }, transport);
  }

  private tellFinished(): void {
    if (this.finished.length === 0) return;
    const now = performance.now();
    for (const thread of this.finished) thread.progressAt = now;
    this.options.onFinished(this.finished, now);
    this.finished.length = 0;
  }

  private drainRings(): boolean {
    let hasFound = false;
    for (const thread of this.options.threads) hasFound = this.drainRing(thread) || hasFound;
    this.tellFinished();
    return hasFound;
  }

  private drainRing(thread: T): boolean {
    return thread.answers.drain((id, flags, answer) => {
      const relay = requestOf(thread, id);
      if (relay !== undefined) this.answer(thread, relay, flags, answer);
      else this.drop(thread, id, flags, answer);
    });
  }
}

/** @param id the request's number as 32 bits */
function requestOf({ given }: Answering, id: number): Relay | undefined {
  for (let index = 0; index < given.size; index++) {
    const relay = given.at(index);
    if ((relay.id | 0) === id) return relay;
  }
  return undefined;
}

function takeOver(thread: Answering, relay: Relay): void {
  const { exchange } = relay;
  const id = relay.id | 0;
  // Meanwhile the client may have left, or the request may have been answered in the app's place.
  if (relay.isOver || exchange.isGone || exchange.isEnded) return thread.send(['tunnelGone', id]);
  relay.isOver = true;
  const end = new ThreadEnd(thread, id, () => thread.tunnels.delete(id));
  thread.tunnels.set(id, end);
  end.begin(exchange);
}
