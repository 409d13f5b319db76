/**
 * Which request runs on which thread. A request goes to an idle thread; if there is none it waits here, or, so that threads
 * with little to do per request never idle, a few wait in a thread that makes progress. From one that does not, they are
 * taken back.
 */

import { milliseconds } from '../../config/durations.ts';
import type { Exchange, Transport } from '../../http/exchange.ts';
import { departureMs } from '../../http/limits.ts';
import { takesEffect } from '../../http/unheard.ts';
import type { Logger } from '../../logger.ts';
import { logFailure } from '../classes/failures.ts';
import type { WorkerContext } from '../classes/worker.ts';
import type { ThreadCode } from '../thread-code.ts';
import { Watch } from './answer-ring.ts';
import { AnswerWatch } from './answer-watch.ts';
import { ThreadCrew } from './crew.ts';
import type { ThreadHandle } from './handle.ts';
import { AnswerFlag, type AnswerPart, type FromThread, revive } from './messages.ts';
import { Overdue } from './overdue.ts';
import { Relay } from './relay.ts';
import { Pressure } from './saturation.ts';
import { SharesInUse } from './shares.ts';
import { Silence } from './unresponsive.ts';

/** Requests given to one thread, the one that it runs counted; fewer than `claims.ts` has room for. */
const maxGiven = 24;
/** A thread that has been busy with one request for this long is given no second one. */
const quickMs = 2;
/** Requests that wait for a thread, per thread. Beyond that, another worker or a later time is better. */
const queuedPerThread = 256;
const finishLookMs = 20;
const busyFields = [
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Retry-After', '1'],
] as const;

export class ThreadPool {
  private readonly crew: ThreadCrew;
  private readonly overdue: Overdue;
  private readonly shares: SharesInUse;
  private readonly answers: AnswerWatch;
  private readonly queue = new Set<Relay>();
  private readonly maxQueued: number;
  /** Threads that have finished something since they were last given something. */
  private readonly finished = new Set<ThreadHandle>();
  /** Whether there will be no threads any more. */
  private isLost = false;
  private readonly log: Logger;
  private readonly onFailure: (exchange: Exchange, error: unknown) => void;
  private readonly onBegin: (exchange: Exchange) => void;

  private readonly pressure: Pressure;
  private readonly silence: Silence;

  /**
   * @param intake what to pause while connections would only wait here
   * @param onBegin a request is given to a thread
   */
  constructor(
    {
      source,
      settings,
      log,
      shortages,
      onError,
    }: Pick<WorkerContext, 'source' | 'settings' | 'log' | 'shortages' | 'onError'>,
    code: ThreadCode,
    intake: { pause(): void; resume(): void },
    onBegin: (exchange: Exchange) => void,
  ) {
    this.onBegin = onBegin;
    const watch = new Watch();
    this.answers = new AnswerWatch(watch, () => this.drainRings());
    this.crew = new ThreadCrew({
      code,
      source,
      settings,
      log,
      watch,
      onMessage: (thread, message) => this.hear(thread, message),
      onReady: (thread) => {
        this.shares.introduce(thread);
        this.rescue(performance.now());
        this.refill(thread);
      },
      onEnd: (thread, error) => this.settle(thread, error),
      onLost: () => this.refuseAll(),
    });
    this.shares = new SharesInUse(this.crew.threads);
    this.overdue = new Overdue(log, (thread) => {
      this.putFirst(takeBackWaiting(thread));
      void this.crew.replace(thread);
    });
    this.silence = new Silence({
      threads: this.crew.threads,
      limitMs: milliseconds(settings.requestTimeout),
      onSilent: (thread) => {
        this.putFirst(takeBackWaiting(thread));
        this.refillOthers();
      },
      onEnd: (thread, ms) => void this.overdue.endStray(thread, ms),
      // On a machine that lets no thread run for a while, the last sign of one may come before all waits behind another.
      onLook: (now) => {
        this.rescue(now);
        this.refillOthers();
      },
    });
    this.pressure = new Pressure({
      isFull: () => this.isFull,
      onBusy: () => {
        log.say('debug', { waiting: this.queue.size }, 'all threads are busy: taking no connections for now');
        intake.pause();
      },
      onFree: () => intake.resume(),
    });
    this.maxQueued = queuedPerThread * settings.threads;
    this.log = log;
    this.onFailure = (exchange, error) => logFailure(log, exchange, error, shortages, onError);
  }

  get interface(): string {
    return this.crew.interface;
  }

  /** @throws AppLoadError with the app's error, if it does not load */
  start(): Promise<void> {
    return this.crew.start();
  }

  /** Requests of clients that have left may take effect yet, as long as they hold their place. */
  private async finishLeftovers(): Promise<void> {
    for (;;) {
      const given = [...this.crew.threads].flatMap((thread) => [...thread.given.values()]);
      const lastLeft = Math.max(0, ...[...this.queue, ...given].map(({ exchange }) => exchange.leftAt));
      if (performance.now() >= lastLeft + departureMs) return;
      await new Promise((resolve) => setTimeout(resolve, finishLookMs));
    }
  }

  async stop(): Promise<void> {
    await this.finishLeftovers();
    this.overdue.stop();
    this.pressure.stop();
    this.silence.stop();
    await this.crew.stop();
  }

  // Requests.

  handle(exchange: Exchange): void {
    if (this.isLost || this.queue.size >= this.maxQueued) return refuse(exchange);
    const relay = new Relay(exchange);
    exchange.isDeaf = () => !relay.hasHeardEnd && this.threadOf(relay)?.hasBegunWith(relay) === true;
    exchange.onCancel((reason) => relay.leave(reason));
    exchange.onAbort((reason) => this.abandon(relay, reason));
    const thread = this.choose(relay);
    if (thread === undefined) this.queue.add(relay);
    else this.give(thread, relay);
    if (this.isFull) this.pressure.noteFull();
  }

  /** From the server: a request's time and its grace are over. */
  expire(exchange: Exchange, ms: number, end: () => void): void {
    const { isStarted } = exchange;
    const relay = this.find(exchange);
    const thread = this.threadOf(relay);
    const isRunning = thread !== undefined && !thread.takeBack(relay!);
    end();
    if (isRunning) void this.overdue.endRunaway(relay!, thread, ms, isStarted);
    else {
      this.overdue.log(exchange, ms, isStarted, undefined);
      if (thread !== undefined) this.refill(thread);
    }
  }

  /** Whether one request more would have to wait. */
  private get isFull(): boolean {
    if (this.queue.size > 0) return true;
    for (const thread of this.crew.threads) if (thread.isOpen && thread.isIdle) return false;
    return true;
  }

  private find(exchange: Exchange): Relay | undefined {
    for (const relay of this.queue) if (relay.exchange === exchange) return relay;
    for (const { given } of this.crew.threads)
      for (const relay of given.values()) if (relay.exchange === exchange) return relay;
    return undefined;
  }

  private choose({ hasBody }: Relay): ThreadHandle | undefined {
    // Nobody overtakes.
    if (this.queue.size > 0) return undefined;
    let best: ThreadHandle | undefined;
    for (const thread of this.crew.threads) {
      if (!thread.isOpen) continue;
      if (thread.isIdle) return thread;
      if (thread.given.size < (best?.given.size ?? maxGiven)) best = thread;
    }
    // What was sent of a body cannot be taken back.
    if (best === undefined || hasBody) return undefined;
    return performance.now() - best.progressAt < quickMs ? best : undefined;
  }

  private give(thread: ThreadHandle, relay: Relay): void {
    if (thread.isIdle) thread.progressAt = performance.now();
    thread.give(relay);
    this.onBegin(relay.exchange);
    if (relay.exchange.goneReason !== undefined) this.overdue.watch(relay, thread);
    this.silence.watch();
  }

  private refill(thread: ThreadHandle): void {
    const now = performance.now();
    for (const relay of this.queue.size === 0 ? this.queue : this.inTurn()) {
      const mayWait = !relay.hasBody && thread.given.size < maxGiven && now - thread.progressAt < quickMs;
      const isFree = thread.isIdle || mayWait;
      if (!isFree || !thread.isOpen) return;
      this.queue.delete(relay);
      this.give(thread, relay);
    }
    if (thread.isIdle && thread.isOpen) this.relieve(thread);
  }

  /** Whoever may have left comes behind those that wait. */
  private *inTurn(): Generator<Relay> {
    for (const relay of this.queue) if (relay.exchange.leaveReason === undefined) yield relay;
    yield* this.queue;
  }

  /** An idle thread takes what waits behind another's request. */
  private relieve(idle: ThreadHandle): void {
    for (const thread of this.crew.threads) {
      if (thread.given.size < 2) continue;
      for (const relay of thread.given.values())
        if (!relay.hasBody && thread.takeBack(relay)) return this.give(idle, relay);
    }
  }

  /** What waits behind a request that turned out to be long is the queue's again, ahead of all others. */
  private rescue(now: number): void {
    const rescued: Relay[] = [];
    for (const thread of this.crew.threads)
      if (thread.given.size > 1 && now - thread.progressAt >= quickMs) rescued.push(...takeBackWaiting(thread));
    this.putFirst(rescued);
  }

  private putFirst(relays: readonly Relay[]): void {
    if (relays.length === 0) return;
    const later = [...this.queue];
    this.queue.clear();
    for (const relay of [...relays, ...later]) this.queue.add(relay);
    this.pressure.noteFull();
  }

  /** The client has gone, or was answered in the app's stead. */
  private abandon(relay: Relay, reason: Error): void {
    const mustRun = takesEffect(relay.exchange, reason);
    if (this.queue.has(relay)) {
      if (!mustRun) this.queue.delete(relay);
      return;
    }
    const thread = this.threadOf(relay);
    if (thread === undefined || relay.isOver) return;
    // What was sent of a body cannot be taken back.
    if (!(mustRun && relay.hasBody) && thread.takeBack(relay)) {
      if (mustRun) this.putFirst([relay]);
      return this.refill(thread);
    }
    relay.abort(reason);
    this.overdue.watch(relay, thread);
  }

  private threadOf(relay: Relay | undefined): ThreadHandle | undefined {
    for (const thread of this.crew.threads) if (thread === relay?.thread) return thread;
    return undefined;
  }

  /** A thread has ended: what it ran has failed, what it had not begun is another's. */
  private settle(thread: ThreadHandle, error: Error): void {
    this.drainRing(thread);
    this.finished.delete(thread);
    this.putFirst(takeBackWaiting(thread));
    for (const relay of thread.given.values()) {
      if (relay.isOver) continue;
      relay.isOver = true;
      relay.exchange.fail(error);
    }
    thread.given.clear();
    this.refillOthers();
  }

  private refillOthers(): void {
    for (const other of this.crew.threads) if (other.isOpen) this.refill(other);
  }

  private refuseAll(): void {
    this.isLost = true;
    for (const { exchange } of this.queue) refuse(exchange);
    this.queue.clear();
  }

  // Messages.

  private hear(thread: ThreadHandle, message: FromThread | undefined): void {
    this.answers.wake();
    if (message === undefined) return;
    if (message[0] === 'ready') this.crew.welcome(thread, message[1]);
    else if (message[0] === 'pong') this.welcomeBack(thread);
    else if (message[0] === 'bootFailed') this.crew.refuse(thread, message[1]);
    else if (message[0] === 'line') this.log.say('error', { source: 'wsgi.errors' }, message[1]);
    else {
      // What a thread wrote into its ring, it wrote before this message.
      this.drainRing(thread);
      const relay = thread.given.get(message[1]);
      if (relay !== undefined) this.pass(thread, relay, message);
      else if (message[0] === 'answer') this.drop(thread, message[1], message[2], message[3]);
    }
  }

  private welcomeBack(thread: ThreadHandle): void {
    thread.isSilent = false;
    thread.progressAt = performance.now();
    this.refill(thread);
  }

  private pass(
    thread: ThreadHandle,
    relay: Relay,
    message: Exclude<FromThread, { length: 1 } | readonly ['bootFailed' | 'line', unknown]>,
  ): void {
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
        if (!relay.isOver) this.onFailure(exchange, revive(message[2]));
    }
  }

  private answer(thread: ThreadHandle, relay: Relay, flags: number, answer: AnswerPart): void {
    const isDone = (flags & AnswerFlag.done) !== 0;
    // Ahead of the answer: what the client asks next may run at once.
    if (isDone) thread.given.delete(relay.id | 0);
    relay.answer(flags, answer);
    this.noteShared(answer, relay.exchange.transport);
    if (!isDone) return;
    relay.isOver = true;
    this.finished.add(thread);
    if (!this.answers.isOn) this.refillFinished();
  }

  /** What nobody waits for any more. */
  private drop(thread: ThreadHandle, id: number, flags: number, answer: AnswerPart): void {
    this.noteShared(answer, undefined);
    if ((flags & AnswerFlag.confirm) !== 0) thread.send(['out', id, false]);
  }

  private noteShared({ share, bytes }: AnswerPart, transport: Transport | undefined): void {
    if (share !== undefined && bytes !== undefined) this.shares.use({ number: share, bytes }, transport);
  }

  private refillFinished(): void {
    if (this.finished.size === 0) return;
    const now = performance.now();
    for (const thread of this.finished) thread.progressAt = now;
    this.rescue(now);
    for (const thread of this.finished) this.refill(thread);
    this.finished.clear();
    this.pressure.noteProgress(now);
  }

  private drainRings(): boolean {
    let hasFound = false;
    for (const thread of this.crew.threads) hasFound = this.drainRing(thread) || hasFound;
    this.refillFinished();
    return hasFound;
  }

  private drainRing(thread: ThreadHandle): boolean {
    return thread.answers.drain((id, flags, text) => {
      const relay = thread.given.get(id);
      const answer: AnswerPart = { text, bytes: undefined, tail: '' };
      if (relay !== undefined) this.answer(thread, relay, flags, answer);
      else this.drop(thread, id, flags, answer);
    });
  }
}

function refuse(exchange: Exchange): void {
  const status = '503 Service Unavailable';
  exchange.send(status, busyFields, `${status}\nno thread is free\n`);
}

/** All that the thread has not begun with and can be given to another. */
function takeBackWaiting(thread: ThreadHandle): Relay[] {
  return [...thread.given.values()].filter((relay) => !relay.hasBody && thread.takeBack(relay));
}
