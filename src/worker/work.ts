/**
 * A worker process, from its order to its exit. It loads the app, starts its class, and then does as the master says; if
 * the master is gone, it finishes what it runs and leaves.
 */

import cluster from 'node:cluster';
import { loadApp } from '../app/load.ts';
import { AppLoadError, BootError, ExitCode, report, TsgunError } from '../errors.ts';
import { openEnvelope, sendToMaster } from '../ipc/channel.ts';
import { startHeartbeat } from '../ipc/heartbeat.ts';
import { type MasterMessage, orderVariable, type WorkerOrder } from '../ipc/messages.ts';
import { createLazyLogger, type Logger } from '../logger.ts';
import { registry } from './registry.ts';
import type { Worker } from './worker.ts';

export async function work(): Promise<void> {
  const order = takeOrder();
  const log = createLazyLogger(order.settings);
  process.title = `${order.settings.procName}: worker [${order.app}]`;

  const exit = new Exit(log, order.settings.gracefulTimeout * 1000);
  // Cluster would end this process at once when the master dies, with its requests half answered.
  cluster.worker?.on('disconnect', () => {
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    exit.isStop = true;
    exit.leave('the master is gone', ExitCode.ok);
  });
  process.on('SIGTERM', () => {
    void sendToMaster({ type: 'leaving', reason: 'killed' });
    exit.leave('SIGTERM', ExitCode.ok);
  });
  process.on('message', (received) => {
    const message = openEnvelope<MasterMessage>(received);
    if (message === undefined) return;
    if (message.type === 'connection') return;
    if (message.type === 'reopen') return log.reopen();
    if (message.type === 'quit') exit.worker?.hurry();
    exit.isStop ||= message.type === 'quit' || message.isStop;
    exit.leave(undefined, ExitCode.ok);
  });

  watchForEscapedErrors(log, exit);
  try {
    const worker = await boot(order, log);
    exit.worker = worker;
    await sendToMaster({ type: 'ready', interface: worker.interface });
    startHeartbeat(order.settings.timeout * 1000, () => worker.requests);
    if (exit.isLeaving) exit.leave(undefined, ExitCode.ok);
  } catch (error) {
    await failBoot(error);
  }
}

/** The master logs it: one line for all workers that fail the same way. */
async function failBoot(error: unknown): Promise<never> {
  await sendToMaster({ type: 'boot_failed', error: report(error) });
  process.exit(error instanceof TsgunError ? error.exitCode : ExitCode.boot);
}

function takeOrder(): WorkerOrder {
  const text = process.env[orderVariable];
  if (text === undefined) throw new BootError('this file is for the master to start; the command is tsgun');
  // The app and what it spawns have no business with it.
  delete process.env[orderVariable];
  return JSON.parse(text) as WorkerOrder;
}

async function boot(order: WorkerOrder, log: Logger): Promise<Worker> {
  const { settings, sockets } = order;
  const [app, makeWorker] = await Promise.all([loadApp(order.app), registry[settings.workerClass]()]);
  const worker = makeWorker({ app, settings, sockets, log, place: order.place });
  await worker.start();
  return worker;
}

/** An error that nobody caught leaves the app in a state nobody knows: it is replaced, after the requests that run. */
function watchForEscapedErrors(log: Logger, exit: Exit): void {
  const onEscape = (error: unknown) => {
    const { message, stack } = report(error);
    if (exit.worker === undefined)
      return failBoot(new AppLoadError(`app: an error escaped it while loading: ${message}`, { cause: error }));
    log.say('fatal', { error: message, stack }, 'an error escaped the app: this worker is being replaced');
    void sendToMaster({ type: 'leaving', reason: 'crashed' });
    return exit.leave(undefined, 1);
  };
  process.on('uncaughtException', onEscape);
  process.on('unhandledRejection', onEscape);
}

/** Leaves once, however many reasons there are. */
class Exit {
  worker: Worker | undefined = undefined;
  isLeaving = false;
  /** Whether the other workers leave too. */
  isStop = false;
  private code = 0;
  private isDraining = false;
  private readonly log: Logger;
  private readonly graceMs: number;

  constructor(log: Logger, graceMs: number) {
    this.log = log;
    this.graceMs = graceMs;
  }

  /** Drains and exits. Before the worker is up, it only notes that it must. */
  leave(why: string | undefined, code: number): void {
    this.isLeaving = true;
    this.code ||= code;
    if (this.worker === undefined) {
      if (!process.connected) process.exit(this.code);
      return;
    }
    if (this.isDraining) return;
    this.isDraining = true;
    if (why !== undefined) this.log.say('info', {}, `${why}: finishing and leaving`);
    // The master kills who overstays; this is for when there is no master.
    setTimeout(() => process.exit(this.code), this.graceMs + 1000).unref();
    void this.finish(this.worker);
  }

  private async finish(worker: Worker): Promise<void> {
    try {
      await worker.stopAccepting(this.isStop);
      void sendToMaster({ type: 'draining' });
      await worker.drain();
    } finally {
      await sendToMaster({ type: 'beat', requests: worker.requests, memoryBytes: 0 });
      process.exit(this.code);
    }
  }
}
