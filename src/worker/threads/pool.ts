/**
 * The threads of a worker and the requests that run on them. `schedule.ts` decides which thread gets a request; what follows is
 * here.
 */

// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { TcpApp } from '../../app/tcp/tcp.ts';
import { milliseconds } from '../../config/durations.ts';
import type { Exchange } from '../../http/exchange.ts';
import { departureMs, type OwnLimits } from '../../http/limits.ts';
import { takesEffect } from '../../http/unheard.ts';
import type { Found, RunningRequest } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import { logFailure } from '../classes/failures.ts';
import type { WorkerContext } from '../classes/worker.ts';
import { refuse } from '../refusal.ts';
import type { ThreadCode } from '../thread-code.ts';
import type { AppThread } from '../watchdog/other-threads.ts';
import { Watch } from './answer-ring.ts';
import { relayTo } from './connections.ts';
import { ThreadCrew } from './crew.ts';
import type { ThreadHandle } from './handle.ts';
import type { FromThread } from './messages.ts';
import { Overdue } from './overdue.ts';
import { Reception } from './reception.ts';
import { Relay } from './relay.ts';
import { RelayedLog } from './relayed-log.ts';
import { isRetryable } from './retries.ts';
import { Saturation } from './saturation.ts';
import { Schedule } from './schedule.ts';
import { SharesInUse } from './shares.ts';
import { UnresponsiveThreads } from './unresponsive.ts';

/** The most requests that wait, per thread. Beyond that a request is better served by another worker, or later. */
const queuedPerThread = 256;
const finishPollMs = 20;
const noThread = 'no thread is free';

export class ThreadPool {
  private readonly crew: ThreadCrew;
  private readonly relayConnection: TcpApp;
  private readonly overdue: Overdue;
  private readonly reception: Reception<ThreadHandle>;
  private readonly schedule: Schedule<ThreadHandle>;
  /** What the app has set on its own server. */
  ownLimits: OwnLimits | undefined = undefined;
  /** Whether there will be no threads any more. */
  private isLost = false;
  private readonly log: Logger;
  private readonly retriesIdempotent: boolean;
  private readonly running: () => readonly RunningRequest[];
  private readonly relayedLog: RelayedLog;
  private readonly saturation: Saturation;
  private readonly unresponsive: UnresponsiveThreads;

  /**
   * @param intake is paused while connections would only wait here
   */
  constructor(
    {
      source,
      settings,
      surroundings,
      log,
      shortages,
      onError,
    }: Omit<WorkerContext, 'app' | 'asked' | 'sockets' | 'observe' | 'track' | 'onBegin' | 'place'>,
    code: ThreadCode,
    intake: { pause(): void; resume(): void },
    { onBegin, running }: { onBegin(exchange: Exchange): void; running(): readonly RunningRequest[] },
  ) {
    const watch = new Watch();
    this.crew = new ThreadCrew({
      code,
      source,
      settings,
      surroundings: surroundings!,
      log,
      watch,
      onMessage: (thread, message) => this.hear(thread, message),
      onReady: (thread) => {
        shares.introduce(thread);
        this.schedule.requeueWaiting(performance.now());
        this.schedule.refill(thread);
      },
      onEnd: (thread, error) => this.settle(thread, error),
      onLost: () => this.refuseAll(),
    });
    this.relayConnection = relayTo(this.crew.threads);
    const shares = new SharesInUse(this.crew.threads);
    this.reception = new Reception({
      threads: this.crew.threads,
      watch,
      shares,
      onFailure: (exchange, error) => logFailure(log, exchange, error, shortages, onError),
      onFinished: (threads, now) => {
        this.schedule.requeueWaiting(now);
        for (const thread of threads) this.schedule.refill(thread);
        this.saturation.noteProgress(now);
      },
    });
    this.overdue = new Overdue(log, (thread) => {
      this.schedule.takeBack(thread);
      void this.crew.replace(thread);
    });
    this.unresponsive = new UnresponsiveThreads({
      threads: this.crew.threads,
      limitMs: milliseconds(settings.requestTimeout),
      onSilent: (thread) => {
        this.schedule.takeBack(thread);
        this.schedule.refillAll();
      },
      onEnd: (thread, ms) => void this.overdue.endStray(thread, ms),
      // On a starved machine, a thread's last message may come before the queue behind it grows.
      onCheck: (now) => {
        this.schedule.requeueWaiting(now);
        this.schedule.refillAll();
      },
    });
    this.saturation = new Saturation({
      isFull: () => this.schedule.isFull,
      onBusy: () => {
        log.say(
          'debug',
          { waiting: this.schedule.waiting.size },
          'all threads are busy: taking no connections for now',
        );
        intake.pause();
      },
      onFree: () => intake.resume(),
    });
    this.schedule = new Schedule({
      threads: this.crew.threads,
      limit: queuedPerThread * settings.threads,
      newestFirst: settings.shed === 'auto',
      onGive: (relay, thread) => {
        onBegin(relay.exchange);
        if (relay.exchange.goneReason !== undefined) this.overdue.watch(relay, thread);
        this.unresponsive.watch();
      },
      onRequeue: () => this.saturation.noteFull(),
    });
    this.log = log;
    this.relayedLog = new RelayedLog(log, onError);
    this.retriesIdempotent = settings.retryIdempotent;
    this.running = running;
  }

  get found(): Found {
    return this.crew.found;
  }

  /** The threads, each with the request that it has begun. */
  *appThreads(): Generator<AppThread> {
    for (const thread of this.crew.threads) {
      const relay = [...thread.given].find((each) => !each.isOver && thread.hasBegunWith(each));
      const { worker, systemId, progressAt } = thread;
      yield { worker, request: relay?.exchange.head, systemId, since: progressAt };
    }
  }

  readonly whereItLoads = () => this.crew.whereItLoads();

  /** Takes raw connections, where the app is for these. */
  readonly connectionApp: TcpApp = (socket, context) => this.relayConnection(socket, context);

  /** @throws AppLoadError with the app's error, if it does not load */
  start(): Promise<void> {
    return this.crew.start();
  }

  /** Requests of clients that have left keep their place for a while, and may take effect. */
  private async finishLeftovers(): Promise<void> {
    for (;;) {
      const given = [...this.crew.threads].flatMap((thread) => [...thread.given]);
      const lastLeft = Math.max(0, ...[...this.schedule.waiting, ...given].map(({ exchange }) => exchange.leftAt));
      if (performance.now() >= lastLeft + departureMs) return;
      await new Promise((resolve) => setTimeout(resolve, finishPollMs));
    }
  }

  async stop(): Promise<void> {
    await this.finishLeftovers();
    this.overdue.stop();
    this.saturation.stop();
    this.unresponsive.stop();
    await this.crew.stop();
  }

  // Requests.

  handle(exchange: Exchange): void {
    if (this.isLost || this.schedule.isAtLimit) return refuse(exchange, noThread);
    // Made here, so that log lines of both threads name the same id.
    void exchange.requestId;
    const relay = new Relay(exchange);
    relay.queuedAt = performance.now();
    exchange.isDeaf = () => !relay.hasHeardEnd && this.crew.threadOf(relay)?.hasBegunWith(relay) === true;
    exchange.onCancel((reason) => relay.leave(reason));
    exchange.onAbort((reason) => this.abandon(relay, reason));
    this.schedule.add(relay);
    if (this.schedule.isFull) this.saturation.noteFull();
  }

  /** The server calls it when a request's time and its grace are over. */
  expire(exchange: Exchange, ms: number, end: () => void): void {
    const { isStarted } = exchange;
    const requests = this.running();
    const relay = this.find(exchange);
    const thread = this.crew.threadOf(relay);
    const isRunning = thread !== undefined && !thread.takeBack(relay!);
    end();
    if (isRunning) void this.overdue.endRunaway(relay!, thread, ms, isStarted, { requests });
    else {
      this.overdue.log(exchange, ms, isStarted, { requests });
      if (thread !== undefined) this.schedule.refill(thread);
    }
  }

  private find(exchange: Exchange): Relay | undefined {
    for (const relay of this.schedule.waiting) if (relay.exchange === exchange) return relay;
    for (const { given } of this.crew.threads) for (const relay of given) if (relay.exchange === exchange) return relay;
    return undefined;
  }

  /** The client has left, or the request was answered in the app's place. */
  private abandon(relay: Relay, reason: Error): void {
    const mustRun = takesEffect(relay.exchange, reason);
    if (this.schedule.waiting.has(relay)) {
      if (!mustRun) this.schedule.remove(relay);
      return;
    }
    const thread = this.crew.threadOf(relay);
    if (thread === undefined || relay.isOver) return;
    // The part of a body that was sent cannot be taken back.
    if (!(mustRun && relay.hasBody) && thread.takeBack(relay)) {
      if (mustRun) this.schedule.putFirst([relay]);
      return this.schedule.refill(thread);
    }
    relay.abort(reason);
    this.overdue.watch(relay, thread);
  }

  /** A thread has ended: the request that it ran has failed, and the others go back to the queue. */
  private settle(thread: ThreadHandle, error: Error): void {
    this.reception.end(thread);
    this.schedule.takeBack(thread);
    const again: Relay[] = [];
    for (const relay of thread.given.take()) {
      if (relay.isOver) continue;
      if (this.mayRetry(relay)) {
        relay.reset();
        again.push(relay);
        continue;
      }
      relay.isOver = true;
      relay.exchange.fail(error);
    }
    for (const tunnel of thread.tunnels.values()) tunnel.cut();
    this.schedule.putFirst(again);
    this.schedule.refillAll();
  }

  private mayRetry(relay: Relay): boolean {
    if (!this.retriesIdempotent || this.isLost || !isRetryable(relay)) return false;
    const { method, path } = relay.exchange.head;
    const fields = { method, path, requestId: relay.exchange.requestId };
    this.log.say('warn', fields, 'the thread of this request ended: another one gets it');
    return true;
  }

  private refuseAll(): void {
    this.isLost = true;
    for (const relay of this.schedule.takeAll()) refuse(relay.exchange, noThread);
  }

  // Messages.

  private hear(thread: ThreadHandle, message: FromThread | undefined): void {
    this.reception.wake();
    if (message === undefined) return;
    if (message[0] === 'ready') {
      thread.systemId = message[2];
      this.ownLimits = message[3];
      this.crew.welcome(thread, message[1]);
    } else if (message[0] === 'closing') return;
    else if (message[0] === 'pong') this.welcomeBack(thread);
    else if (message[0] === 'bootFailed') this.crew.refuse(thread, message[1]);
    else if (!this.relayedLog.take(message)) this.reception.take(thread, message);
  }

  private welcomeBack(thread: ThreadHandle): void {
    thread.isSilent = false;
    thread.progressAt = performance.now();
    this.schedule.refill(thread);
  }
}
