/**
 * Decides which request runs on which thread. A request goes to an idle thread. If there is none, it waits here. A few wait in
 * a thread that makes progress, so that threads with short requests never idle. When such a thread stops making progress, they
 * are stolen back; an idle thread also steals from others.
 */

import { Line } from '../line.ts';
import { isTooLong } from '../newest-first.ts';
import type { ThreadHandle } from './handle.ts';
import type { Relay } from './relay.ts';

/** What the schedule needs to know of a thread. */
export type Scheduled = Pick<ThreadHandle, 'isOpen' | 'isIdle' | 'given' | 'give' | 'takeBack' | 'progressAt'>;

export interface ScheduleOptions<T> {
  readonly threads: Iterable<T>;
  /** The most requests that may wait for a thread. */
  readonly limit: number;
  /** A thread was given a request. */
  readonly onGive: (relay: Relay, thread: T) => void;
  /** Whether the newest requests go first where they wait too long. */
  readonly newestFirst: boolean;
  /** Requests were put back into the queue. */
  readonly onRequeue: () => void;
}

/** The most requests given to one thread, including the one that it runs; fewer than `claims.ts` has slots. */
const maxGiven = 24;
/** A thread that has run one request for this long gets no second one. */
const quickMs = 2;

export class Schedule<T extends Scheduled> {
  private readonly options: ScheduleOptions<T>;
  private readonly queue = new Line<Relay>();

  constructor(options: ScheduleOptions<T>) {
    this.options = options;
  }

  /** The requests that wait here, in order of arrival. */
  get waiting(): Pick<Line<Relay>, 'size' | 'has'> & Iterable<Relay> {
    return this.queue;
  }

  get isAtLimit(): boolean {
    return this.queue.size >= this.options.limit;
  }

  /** Whether one more request would have to wait. */
  get isFull(): boolean {
    if (this.queue.size > 0) return true;
    for (const thread of this.options.threads) if (thread.isOpen && thread.isIdle) return false;
    return true;
  }

  /** Gives the request to a thread, or keeps it until one is free. */
  add(relay: Relay): void {
    const thread = this.choose(relay);
    if (thread === undefined) this.queue.add(relay);
    else this.give(thread, relay);
  }

  /** @returns whether the request waited here */
  remove(relay: Relay): boolean {
    return this.queue.delete(relay);
  }

  /** The requests that waited here. None is left. */
  takeAll(): Relay[] {
    return this.queue.take();
  }

  /** Puts the requests at the head of the queue. */
  putFirst(relays: readonly Relay[]): void {
    if (relays.length === 0) return;
    for (let index = relays.length - 1; index >= 0; index--) this.queue.addFirst(relays[index]!);
    this.options.onRequeue();
  }

  /** Gives requests that wait to a thread that can take more: from this queue, or else stolen from another thread. */
  refill(thread: T): void {
    const now = performance.now();
    while (this.queue.size > 0) {
      const relay = this.next(now);
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

  /** Puts the requests that the thread has not begun back into the queue. */
  takeBack(thread: T): void {
    this.putFirst(takeBackWaiting(thread));
  }

  /** Does the same for all threads whose request turned out to be long. */
  requeueWaiting(now: number): void {
    const requeued: Relay[] = [];
    for (const thread of this.options.threads)
      if (thread.given.size > 1 && now - thread.progressAt >= quickMs) requeued.push(...takeBackWaiting(thread));
    this.putFirst(requeued);
  }

  private choose({ hasBody }: Relay): T | undefined {
    // A request must not overtake those that wait.
    if (this.queue.size > 0) return undefined;
    let best: T | undefined;
    for (const thread of this.options.threads) {
      if (!thread.isOpen) continue;
      if (thread.isIdle) return thread;
      if (thread.given.size < (best?.given.size ?? maxGiven)) best = thread;
    }
    // The part of a body that was sent cannot be taken back.
    if (best === undefined || hasBody) return undefined;
    return performance.now() - best.progressAt < quickMs ? best : undefined;
  }

  private give(thread: T, relay: Relay): void {
    if (thread.isIdle) thread.progressAt = performance.now();
    thread.give(relay);
    this.options.onGive(relay, thread);
  }

  /** Requests of clients that may have left come last. */
  private next(now: number): Relay {
    const { queue } = this;
    const last = queue.size - 1;
    const isFromBack = this.options.newestFirst && isTooLong(queue.at(0).queuedAt, now);
    for (let index = 0; index <= last; index++) {
      const relay = queue.at(isFromBack ? last - index : index);
      if (relay.exchange.leaveReason === undefined) return relay;
    }
    return queue.at(0);
  }

  /** Steals a request that waits in another thread. */
  private steal(idle: T): void {
    for (const thread of this.options.threads) {
      if (thread.given.size < 2) continue;
      for (const relay of thread.given) if (!relay.hasBody && thread.takeBack(relay)) return this.give(idle, relay);
    }
  }
}

/** The requests that the thread has not begun, and that can be given to another. */
function takeBackWaiting(thread: Scheduled): Relay[] {
  return [...thread.given].filter((relay) => !relay.hasBody && thread.takeBack(relay));
}
