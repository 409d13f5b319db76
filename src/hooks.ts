/**
 * Hooks: functions in a config module, or among the settings of `run`, that are called at events of the service's life.
 * Names and arguments follow gunicorn's hooks, if it has the same one.
 */

import { format } from 'node:util';
import type { Settings } from './config/settings.ts';
import { ConfigError, describe, report } from './errors.ts';
import type { ExitReason, RunningRequest } from './ipc/messages.ts';
import type { Level, Logger, LogTarget } from './logger.ts';

/** Lines for the error log. The values fill in `%s`, `%d` and `%o`, as in `util.format`. */
export interface HookLog {
  debug(message: string, ...values: unknown[]): void;
  info(message: string, ...values: unknown[]): void;
  warn(message: string, ...values: unknown[]): void;
  error(message: string, ...values: unknown[]): void;
}

/** Where clients find a server. */
export interface ServerAddress {
  /** `http://HOST:PORT`, `tcp://HOST:PORT` or `unix:PATH`. */
  readonly url: string;
  /** Of a unix socket, its path. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
}

/** @param address `HOST:PORT`, `[V6]:PORT` or `unix:PATH`, as it was bound */
export function serverAddress(address: string, scheme: string): ServerAddress {
  const [, host = '', port] = /^(.*):(\d+)$/s.exec(address) ?? [];
  if (port === undefined || address.startsWith('unix:'))
    return { url: address, address: address.replace(/^unix:/, ''), port: 0 };
  return { url: `${scheme}://${address}`, address: host.replace(/^\[(.*)\]$/s, '$1'), port: Number(port) };
}

/** The service as it is when the hook is called. */
export interface HookServer {
  /** Of the master. */
  readonly pid: number;
  /** `path[:export]`, or the script that called `run`. */
  readonly app: string;
  readonly settings: Settings;
  /** The bound addresses, in the order of `bind`; port 0 is replaced by the free port. */
  readonly addresses: readonly ServerAddress[];
  /** Workers that are wanted. */
  readonly workers: number;
  /** 1 at the start; one more with each reload. */
  readonly generation: number;
  readonly log: HookLog;
}

export interface HookWorker {
  /** Undefined before it is forked. */
  readonly pid: number | undefined;
  /** Its number, `worker` in the log: from 1 to N. It is above N until the worker that it replaces has left, and changes then. */
  readonly id: number;
  readonly generation: number;
  readonly log: HookLog;
}

/** A worker that has exited, or is about to. */
export interface ExitedWorker extends HookWorker {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  readonly uptimeMs: number;
  readonly requests: number;
}

/** A worker that hangs. */
export interface HungWorker extends HookWorker {
  /** Where it hangs, innermost frame first, one per line. */
  readonly stack: string;
  /** Its running requests; `ms` is how long each has run. */
  readonly requests: readonly RunningRequest[];
}

/** What a generation has done while it was on trial, or was compared with one. */
export interface CanaryFigures {
  readonly requests: number;
  /** Answers with a status of 500 or more. */
  readonly errors: number;
  /** Workers that crashed, hung, or were killed. */
  readonly crashes: number;
  /** 95 of 100 answers took no longer; in milliseconds. */
  readonly p95Ms: number | undefined;
}

/** A new generation that was tried beside the old one (`canary`). */
export interface CanaryTrial {
  readonly generation: number;
  /** What tsgun makes of it; `unknown`: there was too little traffic to tell. */
  readonly outcome: 'worse' | 'no_worse' | 'unknown';
  readonly faults: readonly string[];
  readonly seconds: number;
  readonly fresh: CanaryFigures;
  readonly old: CanaryFigures;
}

/** The same object before and after. */
export interface HookRequest {
  readonly method: string;
  /** As the client sent it, with the query. */
  readonly target: string;
  /** Names in lower case; values of a repeated field are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty on a unix socket. */
  readonly remoteAddress: string;
}

export interface HookResponse {
  /** Undefined if the client left before there was an answer, or the connection was upgraded. */
  readonly status: number | undefined;
  /** Whether the whole answer was sent; false if the client left during a large one. */
  readonly isComplete: boolean;
  /** Since the request's head was read. */
  readonly ms: number;
}

/**
 * A hook that fails at the start, or in a worker that boots, ends that start or boot. The failure of any other hook is
 * logged, and the service goes on. tsgun awaits the promises of `onStarting`, `postFork`, `postWorkerInit`, `workerExit` and
 * `onExit`.
 */
export interface Hooks {
  /** In the master, once the configuration is read and its addresses are bound. */
  onStarting?(server: HookServer): unknown;
  /** In the master: a reload has read the new configuration, whose hook this is; no new worker is spawned yet. */
  onReload?(server: HookServer): unknown;
  /**
   * In the master: the trial of a new generation is over. What it returns, or resolves to within a minute, is the verdict: `'worse'`
   * rolls the release back, `'no_worse'` takes it; otherwise tsgun's own verdict holds.
   */
  onCanary?(server: HookServer, trial: CanaryTrial): unknown;
  /** In the master: the first worker accepts connections. */
  whenReady?(server: HookServer): unknown;
  /** In the master, just before a worker is forked. */
  preFork?(server: HookServer, worker: HookWorker): unknown;
  /** In the worker, before the app is loaded; still as the master's user. In a script that calls `run`: when it does. */
  postFork?(server: HookServer, worker: HookWorker): unknown;
  /** In the worker: the app is loaded, and no connection accepted yet. */
  postWorkerInit?(worker: HookWorker): unknown;
  /** In the worker: it is asked to stop quickly. */
  workerInt?(worker: HookWorker): unknown;
  /** In the master, because the worker itself is blocked: a worker hangs and is about to be killed. */
  workerAbort?(worker: HungWorker): unknown;
  /**
   * In the worker: a request's head was read; the body may still be on its way, and the app has not been called. Not for a refused head,
   * and not for raw connections.
   */
  preRequest?(worker: HookWorker, request: HookRequest): unknown;
  /**
   * In the worker: the app has failed a request, with this error; the log has it too. In the threaded class the error is a
   * copy of the thread's. Of a raw connection, the method is `TCP` and the target the client's address.
   */
  onError?(error: unknown, request: HookRequest): unknown;
  /** In the worker, once for each `preRequest`: the app or tsgun has answered the request, or its client has left. */
  postRequest?(worker: HookWorker, request: HookRequest, response: HookResponse): unknown;
  /** In the master: a worker has exited. */
  childExit?(server: HookServer, worker: ExitedWorker): unknown;
  /** In the worker, which is about to exit; not in one that is killed. */
  workerExit?(server: HookServer, worker: HookWorker): unknown;
  /** In the master: another number of workers is wanted; at the start, when there was none before. */
  nworkersChanged?(server: HookServer, newValue: number, oldValue: number | undefined): unknown;
  /** In the master, which is about to exit. */
  onExit?(server: HookServer): unknown;
  /** Not a hook: a logger that takes the lines of the error log, in the master and in each worker. */
  logger?: LogTarget;
}

export type HookName = keyof Hooks;

/** Which process needs each; the master has them all. */
const places: Record<HookName, 'master' | 'worker'> = {
  onStarting: 'master',
  onReload: 'master',
  onCanary: 'master',
  whenReady: 'master',
  preFork: 'master',
  postFork: 'worker',
  postWorkerInit: 'worker',
  workerInt: 'worker',
  workerAbort: 'master',
  preRequest: 'worker',
  onError: 'worker',
  postRequest: 'worker',
  childExit: 'master',
  workerExit: 'worker',
  nworkersChanged: 'master',
  onExit: 'master',
  logger: 'worker',
};

export const hookNames = Object.keys(places) as HookName[];

/** Whether workers need to load them too. */
export function concernWorkers(hooks: Hooks): boolean {
  return hookNames.some((name) => hooks[name] !== undefined && places[name] === 'worker');
}

/**
 * Picks the hooks from the exports of a config module, or the settings of a caller.
 * @throws ConfigError for a hook that is not a function
 */
export function pickHooks(content: object, from: string): Hooks {
  const problems = hookProblems(content, () => from);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(givenHooks(content)) as Hooks;
}

/** What is wrong with them. @param placeOf where each hook stands, for the message */
export function hookProblems(content: object, placeOf: (name: string) => string): string[] {
  return givenHooks(content)
    .filter(([name, hook]) => (name === 'logger' ? !isLogTarget(hook) : typeof hook !== 'function'))
    .map(([name, hook]) => {
      const place = placeOf(name);
      const remedy = /\.jsonc?\b/.test(place)
        ? '; hooks need a config file that is a module, such as tsgun.config.ts'
        : '';
      const expected = name === 'logger' ? 'a logger with the methods info, warn and error' : 'a function';
      return `${name}: expected ${expected}, got ${describe(hook)}${remedy} (${place})`;
    });
}

function isLogTarget(value: unknown): boolean {
  return ['info', 'warn', 'error'].every((method) => typeof Reflect.get(Object(value), method) === 'function');
}

function givenHooks(content: object): [HookName, unknown][] {
  return hookNames
    .map((name): [HookName, unknown] => [name, Reflect.get(content, name)])
    .filter(([, hook]) => hook !== undefined && hook !== null);
}

/** Calls a hook whose failure is only logged. */
export async function callHook(name: HookName, log: Logger, call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (error) {
    const { message, stack } = report(error);
    log.say('error', { hook: name, error: message, stack }, `the hook ${name} failed: ${message}`);
  }
}

/** The error log, as hooks write to it. */
export function hookLog(log: Logger): HookLog {
  const writer =
    (level: Level) =>
    (message: string, ...values: unknown[]) =>
      log.say(level, {}, format(message, ...values));
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
