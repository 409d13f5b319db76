/** Starts a worker process, and nothing else: its order says what it is for. */

import cluster from 'node:cluster';
import { existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { descriptorError } from '../../descriptors.ts';
import { BootError, ownFilesError, report } from '../../errors.ts';
import { listenToWorker, sendToWorker } from '../../ipc/channel.ts';
import type { CountersPlace } from '../../ipc/counters.ts';
import { workerEntry } from '../../ipc/entries.ts';
import type { MasterMessage, WatchdogMessage, WatchdogOrder, WorkerMessage } from '../../ipc/messages.ts';
import { orderVariable, type WorkerOrder, type WorkerSocket } from '../../ipc/order.ts';
import { type BindRequest, restrictBinding } from '../../node/restrict-binding.ts';
import { FallbackAcceptor } from './fallback-acceptor.ts';
import { claimSlot, releaseSlot } from './scoreboard-file.ts';

/** The process behind a child. */
export interface ChildProcess {
  readonly pid: number | undefined;
  send(message: MasterMessage): void;
  /** Reaches the watchdog even while the main thread is blocked. */
  sendToWatchdog(order: WatchdogOrder): void;
  kill(): void;
}

export interface SpawnOptions {
  /** Descriptor numbers of this process; the worker's order has its own numbers. */
  readonly order: Omit<WorkerOrder, 'watchdogFd'>;
  /** Where the worker counts, by a descriptor of this process. */
  readonly counters?: CountersPlace | undefined;
  /** Variables beside those of the master. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onMessage: (message: WorkerMessage | WatchdogMessage) => void;
  /** Called once, even if the process could not be started. */
  readonly onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/** The first descriptor after stdin, stdout, stderr and the IPC channel. */
const firstFd = 4;

/** @returns undefined if it cannot be started now; that is reported like any failed boot */
export function spawnWorker(options: SpawnOptions): ChildProcess | undefined {
  try {
    return fork(options);
  } catch (error) {
    // The usual cause is that there is no memory for another process.
    tellFailure(error, options.onMessage);
    options.onExit(null, null);
    return undefined;
  }
}

/** One for all workers of this process. */
const acceptor = new FallbackAcceptor();

function tellFailure(error: unknown, onMessage: SpawnOptions['onMessage']): void {
  const code = descriptorError(error);
  if (code !== undefined) onMessage({ type: 'short', of: 'descriptors', where: 'fork', code });
  const failure = new BootError(`cannot start a worker: ${report(error).message}`);
  onMessage({ type: 'boot_failed', error: report(failure) });
}

function fork({ order, counters, environment, onMessage, onExit }: SpawnOptions): ChildProcess {
  // The system's own error for this would blame the program.
  if (!statSync(order.directory, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`its directory ${order.directory} is gone: a reload (HUP) takes the new one`);
  const entry = fileURLToPath(workerEntry);
  // Node would report it on standard error only.
  if (!existsSync(entry)) throw ownFilesError(new Error(`${entry} is gone`));
  const slot = claimSlot();
  const inherited = order.sockets.flatMap((socket) => ('fd' in socket ? [socket.fd] : []));
  const scoreboard = slot === undefined ? [] : [slot.fd];
  const scoreboardFd = firstFd + inherited.length;
  const countersFd = scoreboardFd + scoreboard.length;
  const counting = counters === undefined ? [] : [counters.fd];
  const watchdogFd = countersFd + counting.length;
  // Sockets that are not inherited are shared through cluster; either way workers accept for themselves.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: entry,
    cwd: order.directory,
    // In a worker too, a script sees the arguments with which it was started.
    args: order.script === undefined ? [...order.appArguments] : [order.script, ...process.argv.slice(2)],
    execArgv: [...process.execArgv, ...order.settings.nodeOptions],
    // The terminal would stop a worker that reads from it.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...inherited, ...scoreboard, ...counting, 'pipe'] as never,
  });
  const sockets = order.sockets.map((socket) =>
    'fd' in socket ? { ...socket, fd: firstFd + inherited.indexOf(socket.fd) } : socket,
  );
  const workerOrder: WorkerOrder = {
    ...order,
    sockets,
    watchdogFd,
    ...(slot === undefined ? {} : { slot: { ...slot, fd: scoreboardFd } }),
    ...(counters === undefined ? {} : { counters: { ...counters, fd: countersFd } }),
  };
  const worker = cluster.fork({
    ...environmentOf(workerOrder),
    ...environment,
    [orderVariable]: JSON.stringify(workerOrder),
  });
  if (order.identity !== undefined) restrictBinding(worker.process, (request) => isHarmless(request, sockets));
  const registration = acceptor.register(workerOrder, worker.process);

  let hasExited = false;
  const exited = (code: number | null, signal: NodeJS.Signals | null) => {
    if (hasExited) return;
    hasExited = true;
    if (slot !== undefined) releaseSlot(slot);
    registration?.reap();
    onExit(code, signal);
  };
  listenToWorker(worker.process, (message) => {
    if (message.type === 'idle' || message.type === 'taken') registration?.hear(message);
    else onMessage(message);
  });
  // If no descriptor was left, the process has no stdio.
  const { stdio } = worker.process as { stdio?: readonly unknown[] };
  const pipe = stdio?.[watchdogFd] as Duplex | null | undefined;
  listenToWatchdog(pipe, onMessage);
  worker.on('exit', (code: number | null, signal: string | null) => exited(code, signal as NodeJS.Signals | null));
  // A fork that failed never exits. Any other error here is of the channel, whose end the exit reports.
  worker.on('error', (error) => {
    if (worker.process.pid !== undefined) return;
    tellFailure(error, onMessage);
    exited(null, null);
  });

  return {
    pid: worker.process.pid,
    send: (message) => {
      const isLeaving = registration !== undefined && (message.type === 'retire' || message.type === 'quit');
      if (isLeaving) void registration.dismiss().then(() => sendToWorker(worker.process, message));
      else sendToWorker(worker.process, message);
    },
    sendToWatchdog: (order) => {
      if (pipe?.writable) pipe.write(`${JSON.stringify(order)}\n`);
    },
    // Not worker.kill(): that waits for a disconnect, which a blocked worker never makes.
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** One message per line. The app could write there too: anything else is ignored. */
function listenToWatchdog(pipe: Duplex | null | undefined, onMessage: (message: WatchdogMessage) => void): void {
  if (!pipe) return;
  // The exit event reports how the worker ended. An end with unread orders is a reset, which readline emits once more.
  const ignore = () => {};
  pipe.on('error', ignore);
  const lines = createInterface({ input: pipe }).on('error', ignore);
  lines.on('line', (line) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {}
    if (typeof message === 'object' && message !== null) onMessage(message as WatchdogMessage);
  });
}

/** What a request for a unix socket has in place of a port. */
const pathPort = -1;
/** The first port that needs no privilege. A system may set another limit, but this one is safe everywhere. */
const firstFreePort = 1024;

/** Whether a worker may bind this: an address that needs no privilege, or one of its own. */
function isHarmless({ address, port, fd = -1 }: BindRequest, sockets: readonly WorkerSocket[]): boolean {
  const isOwn = sockets.some((socket) => {
    if ('path' in socket) return port === pathPort && socket.path === address;
    return 'port' in socket && socket.port === port && socket.host === address;
  });
  // A number above 65535 would be cut to one of 16 bits.
  const isFree = Number.isInteger(port) && (port === 0 || (port >= firstFreePort && port <= 65_535));
  return !(fd >= 0) && (isFree || isOwn);
}

/** Variables that differ from the master's. A worker must not use another user's home and caches, least of all root's. */
function environmentOf({ directory, identity }: WorkerOrder): NodeJS.ProcessEnv {
  const { name, home } = identity?.user ?? {};
  const own =
    identity?.user === undefined ? {} : { HOME: home || '/', USER: name, LOGNAME: name, XDG_CACHE_HOME: undefined };
  return { ...own, PWD: directory };
}
