/**
 * A worker process, from its order to its exit. It loads the app, starts its class, and then does as the master says; if
 * the master is gone, it finishes what it runs and leaves.
 */

import cluster from 'node:cluster';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limitMs, milliseconds } from '../config/durations.ts';
import type { Settings } from '../config/settings.ts';
import { descriptorError, limitRemedy } from '../descriptors.ts';
import { BootError, ExitCode, report, TsgunError } from '../errors.ts';
import { listenToMaster, sendToMaster } from '../ipc/channel.ts';
import { startHeartbeat } from '../ipc/heartbeat.ts';
import { orderVariable, type WorkerOrder } from '../ipc/order.ts';
import { takeOverOutput } from '../log/output.ts';
import { createLogger, type Logger, logOutput, type OwnLogger, sayOfLog } from '../logger.ts';
import { keepCode } from '../node/code-cache.ts';
import type { AccessLog } from './access/access-log.ts';
import { reopenAccessLog, startAccessLog } from './access/start.ts';
import { boot } from './boot.ts';
import { longBootMs } from './boot-waits.ts';
import type { Worker } from './classes/worker.ts';
import { watchForEnd } from './ending/end.ts';
import { watchForEscapedErrors } from './ending/escapes.ts';
import { Exit } from './ending/exit.ts';
import { holdSignals } from './ending/signals.ts';
import { snapshotRefusal, writeSnapshot } from './heap-snapshot.ts';
import { sayWhatIsLoaded } from './loaded.ts';
import { Metering } from './metering/metering.ts';
import { Title } from './name.ts';
import { loadOwn, type Own } from './own.ts';
import { makeParts } from './parts.ts';
import type { WatchdogData } from './watchdog/shared.ts';
import { startWatchdog } from './watchdog/watchdog.ts';

export async function work(): Promise<void> {
  const order = takeOrder();
  process.umask(order.umask);
  takeOverOutput();
  // Opened before the process changes its user: the log may be writable for root alone.
  const log = openLog(order.settings);
  logOutput(() => log);
  const parts = makeParts(order, log);
  const title = new Title(order);
  title.show(parts.name);
  const { name, hooks, observers, health, certificates, shortages, answerClaims, table } = parts;
  let access: AccessLog | undefined;
  const exit = new Exit(log, name, order.settings);
  exit.onExit = () => hooks.exiting();
  // By default, node:cluster ends this process at once when the master dies, with its requests half answered.
  cluster.worker?.on('disconnect', () => {
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    exit.leave({ why: 'the master is gone', isStop: true });
  });
  holdSignals(() => {
    if (exit.worker === undefined) void sendToMaster({ type: 'leaving', reason: 'killed' });
    exit.leave({ why: 'SIGTERM' });
  });
  listenToMaster((message) => {
    if (message.type === 'connection') return;
    if (message.type === 'chaos')
      return message.kind === 'stall' ? standStill(message.ms) : exit.worker?.hold?.(message.ms);
    if (message.type === 'answered') return access?.enterOf(message);
    if (message.type === 'renumbered') {
      name.worker = message.worker;
      title.show(name);
      return access?.rename(message.worker);
    }
    if (message.type === 'log_level') return log.setLevel(message.level);
    if (message.type === 'snapshot') return leaveWithSnapshot(exit, order.settings);
    if (message.type === 'certificates') return certificates.take(message.files);
    const isStop = message.type === 'quit' || (message.type === 'retire' && message.isStop);
    if (isStop || message.type === 'unready') health.isReady = false;
    if (message.type === 'unready') return;
    if (message.type === 'reopen') {
      reopen(log, order.settings);
      return reopenAccessLog(access, log);
    }
    if (message.type === 'quit') {
      hooks.interrupted();
      exit.worker?.serving.hurry();
    }
    exit.leave({ ...message, isStop });
  });

  const sayLoaded = order.settings.reload
    ? sayWhatIsLoaded((files) => void sendToMaster({ type: 'loaded', files }))
    : () => {};
  // An app may end its process while it is loaded.
  process.once('exit', sayLoaded);
  watchForEscapedErrors({ log, exit, shortages, failBoot: (error) => failBoot(error, exit, sayLoaded) });
  try {
    const own = await loadOwn(order);
    access = startAccessLog(own.AccessLog, order.settings, name, observers, log);
    const metering = new Metering({ order, observers, version: own.version }, log);
    let endOfBoot = () => {};
    const { worker, found, scheme, listening, close } = await boot(order, own, parts, () => {
      const memory = { requests: table.shared, answers: answerClaims.shared };
      endOfBoot = watch(own, order, () => exit.worker, memory, log);
    });
    if (access !== undefined) access.beforeExit = () => worker.serving.tellUnfinished();
    exit.worker = worker;
    watchForEnd({ log, exit });
    exit.listening = listening;
    listening?.serve({ countConnections: () => worker.serving.connections, onClose: () => closed(exit) });
    exit.onLeave = () => own.instead?.leave();
    exit.onExit = async () => {
      await close().catch((error) => log.say('error', { ...report(error) }, 'the app failed to close'));
      await hooks.exiting();
    };
    endOfBoot();
    await metering.start(found.interface, { serving: worker.serving, running: () => table.count });
    await sendToMaster({ type: 'ready', ...found, scheme });
    startHeartbeat(milliseconds(order.settings.timeout), () => ({
      requests: worker.serving.requests,
      running: table.count,
    }));
    if (exit.isLeaving) exit.leave({});
    keepCode();
  } catch (error) {
    await failBoot(error, exit, sayLoaded);
  }
}

/** For `--chaos`: blocks the event loop, as code of an app may. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Writes a snapshot once the worker has drained; the master replaces it at once. If there is to be none, the master gets the
 * reason.
 */
function leaveWithSnapshot(exit: Exit, { workerClass }: Settings): void {
  const refusal = exit.isLeaving ? 'the worker leaves already' : snapshotRefusal(workerClass === 'threaded');
  if (refusal !== undefined) return void sendToMaster({ type: 'snapshot', error: refusal });
  exit.onDrained = async () => {
    await sendToMaster({ type: 'snapshot_begins' });
    try {
      await sendToMaster({ type: 'snapshot', ...writeSnapshot(exit.name.worker) });
    } catch (error) {
      await sendToMaster({ type: 'snapshot', error: report(error).message });
    }
  };
  void sendToMaster({ type: 'leaving', reason: 'killed' });
  exit.leave({ why: 'a heap snapshot' });
}

/** The app has closed the server that tsgun serves for it. Under Node, the program would then end; so the worker leaves. */
function closed(exit: Exit): void {
  if (exit.isLeaving) return;
  void sendToMaster({ type: 'leaving', reason: 'killed' });
  exit.leave({ why: 'the app has closed its server' });
}

/**
 * A worker whose log file cannot be opened serves all the same. The master does likewise: it keeps a file that it once opened.
 */
function openLog(settings: Settings): OwnLogger {
  try {
    return createLogger(settings);
  } catch (error) {
    const log = createLogger({ ...settings, errorLogfile: '-' });
    log.say('error', { error: report(error).message }, 'the log file cannot be opened: this worker logs to stderr');
    return log;
  }
}

function reopen(log: Logger, settings: Settings): void {
  try {
    log.reopen();
  } catch (error) {
    const fields = { error: report(error).message };
    sayOfLog(log, settings, 'error', fields, 'the log file cannot be reopened: the old one stays in use');
  }
}

/** @returns a function to call once the worker is ready: before that, no silence counts as a hang */
function watch(
  { watchdog: code, makeWorker }: Own,
  { settings, watchdogFd, seat, samplesAllocations }: WorkerOrder,
  worker: () => Worker | undefined,
  memory: Pick<WatchdogData, 'requests' | 'answers'>,
  log: Logger,
): () => void {
  return startWatchdog({
    code,
    fd: watchdogFd,
    // Without a timeout, the watchdog still ends a process that is blocked when its master is gone.
    timeoutMs: limitMs(settings.timeout),
    longBootMs: longBootMs(settings),
    graceMs: milliseconds(settings.gracefulTimeout),
    slowMs: milliseconds(settings.slowRequest),
    watchesMemory: samplesAllocations,
    runsApp: makeWorker.loadsApp !== false,
    profiles: join(tmpdir(), `tsgun-slow-${process.ppid}-${seat}`),
    running: () => worker()?.serving.running() ?? [],
    details: () => worker()?.serving.details() ?? [],
    threads: () => worker()?.threads?.() ?? [],
    ...memory,
    onFailure: (error) =>
      log.say('warn', { error: report(error).message }, 'the watchdog has ended: hangs are logged without a stack'),
  });
}

/** The master logs it: one line for all workers that fail in the same way. */
async function failBoot(reason: unknown, exit: Exit, sayLoaded: () => void): Promise<never> {
  sayLoaded();
  const isOut = descriptorError(reason) !== undefined;
  const error = isOut ? new BootError(`out of file descriptors: ${report(reason).message}: ${limitRemedy}`) : reason;
  await sendToMaster({ type: 'boot_failed', error: report(error) });
  await exit.sayGoodbye();
  process.exit(error instanceof TsgunError ? error.exitCode : ExitCode.boot);
}

function takeOrder(): WorkerOrder {
  const text = process.env[orderVariable];
  if (text === undefined) throw new BootError('this file is for the master to start; the command is tsgun');
  // The app and its child processes have no use for it.
  delete process.env[orderVariable];
  const order = JSON.parse(text) as WorkerOrder;
  // As if Node had been started with the script.
  if (order.script !== undefined) process.argv.splice(1, 1);
  return order;
}
