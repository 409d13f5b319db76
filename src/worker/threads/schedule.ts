/**
 * Which request runs on which thread. A request goes to an idle thread; if there is none it waits here, or, so that threads
 * with little to do per request never idle, a few wait in a thread that makes progress. When such
 * a thread stops making progress, they are stolen back; an idle thread also steals from another.
 */

import type { ThreadHandle } from './handle.ts';
import type { Relay } from './relay.ts';

/** What the schedule needs to know of a thread. */
export type Scheduled = Pick<ThreadHandle, 'isOpen' | 'isIdle' | 'given' | 'give' | 'takeBack' | 'progressAt'>;

export interface ScheduleOptions<T> {
  readonly threads: Iterable<T>;
  /** How many may wait for a thread. */
  readonly limit: number;
  /** A thread was given a request. */
  readonly onGive: (relay: Relay, thread: T) => void;
  /** Requests were put back into the queue. */
  readonly onRequeue: () => void;
}

/** Requests given to one thread, the one that it runs counted; fewer than `claims.ts` has room for. */
const maxGiven = 24;
/** A thread that has been busy with one request for this long is given no second one. */
const quickMs = 2;

export class Schedule<T extends Scheduled> {
  private readonly options: ScheduleOptions<T>;
  private readonly queue = new Set<Relay>();

  constructor(options: ScheduleOptions<T>) {
    this.options = options;
  }

  /** The requests that wait here, in the order in which they came. */
  get waiting(): ReadonlySet<Relay> {
    return this.queue;
  }

  get isAtLimit(): boolean {
    return this.queue.size >= this.options.limit;
  }

  /** Whether one request more would have to wait. */
  get isFull(): boolean {
    if (this.queue.size > 0) return true;
    for (const thread of this.options.threads) if (thread.isOpen && thread.isIdle) return false;
    return true;
  }

  /** Gives it to a thread, or keeps it until one is free. */
  add(relay: Relay): void {
    const thread = this.choose(relay);
    if (thread === undefined) this.queue.add(relay);
    else this.give(thread, relay);
  }

  /** @returns whether it waited here */
  remove(relay: Relay): boolean {
    return this.queue.delete(relay);
  }

  /** Ahead of all others. */
  putFirst(relays: readonly Relay[]): void {
    if (relays.length === 0) return;
    const later = [...this.queue];
    this.queue.clear();
    for (const relay of [...relays, ...later]) this.queue.add(relay);
    this.options.onRequeue();
  }

  /** Gives a thread that can take more what waits; where nothing waits here, what waits behind another's request. */
  refill(thread: T): void {
    const now = performance.now();
    for (const relay of this.queue.size === 0 ? this.queue : this.inTurn()) {
      const mayWait = !relay.hasBody && thread.given.size < maxGiven && now - thread.progressAt < quickMs;
      const isFree = thread.isIdle || mayWait;
      if (!isFree || !thread.isOpen) return;
      this.queue.delete(relay);
      this.give(thread, relay);
    }
    if (thread.isIdle && thread.isOpen) this.steal(thread);
  }

  refillAll(): void {
    for (const thread of this.options.threads) if (thread.isOpen) this.refill(thread);
  }

  /** What a thread has not begun with is the queue's again. */
  takeBack(thread: T): void {
    this.putFirst(takeBackWaiting(thread));
  }

  /** The same of all threads whose request turned out to be long. */
  requeueWaiting(now: number): void {
    const requeued: Relay[] = [];
    for (const thread of this.options.threads)
      if (thread.given.size > 1 && now - thread.progressAt >= quickMs) requeued.push(...takeBackWaiting(thread));
    this.putFirst(requeued);
  }

  private choose({ hasBody }: Relay): T | undefined {
    // Nobody overtakes.
    if (this.queue.size > 0) return undefined;
    let best: T | undefined;
    for (const thread of this.options.threads) {
      if (!thread.isOpen) continue;
      if (thread.isIdle) return thread;
      if (thread.given.size < (best?.given.size ?? maxGiven)) best = thread;
    }
    // What was sent of a body cannot be taken back.
    if (best === undefined || hasBody) return undefined;
    return performance.now() - best.progressAt < quickMs ? best : undefined;
  }

  private give(thread: T, relay: Relay): void {
    if (thread.isIdle) thread.progressAt = performance.now();
    thread.give(relay);
    this.options.onGive(relay, thread);
  }

  /** Whoever may have left comes behind those that wait. */
  private *inTurn(): Generator<Relay> {
    for (const relay of this.queue) if (relay.exchange.leaveReason === undefined) yield relay;
    yield* this.queue;
  }

  /** An idle thread takes what waits behind another's request. */
  private steal(idle: T): void {
    for (const thread of this.options.threads) {
      if (thread.given.size < 2) continue;
      for (const relay of thread.given.values())
        if (!relay.hasBody && thread.takeBack(relay)) return this.give(idle, relay);
    }
  }
}

/** All that the thread has not begun with and can be given to another. */
function takeBackWaiting(thread: Scheduled): Relay[] {
  return [...thread.given.values()].filter((relay) => !relay.hasBody && thread.takeBack(relay));
}
