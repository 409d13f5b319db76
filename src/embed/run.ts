/**
 * `run`: the command as a function, for a script of the user's own. In that script's process it is the master. Its workers
 * run the same script, and there `run` only says which app it is.
 */

import { relative, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { offerApp } from '../app/script.ts';
import type { App } from '../app/types.ts';
import { programSource } from '../config/sources/sources.ts';
import type { Config } from '../config/user-settings.ts';
import { ConfigError, describe, type ExitCode, type RunOutcome, report } from '../errors.ts';
import { concernWorkers } from '../hooks.ts';
import type { AnyApp, Apps } from './apps.ts';
import { inOptions } from './option-names.ts';
import { expectNode, expectOwnFiles } from './runtime.ts';

/** How it ended. */
export interface Stopped {
  /** The code that the process will exit with: 0, or 3 or 4 where workers or the app failed at the start. */
  readonly exitCode: ExitCode;
  /** The signal that ended it; or that the program's own `signal` was aborted; or that no worker could boot (the log says why). */
  readonly reason: NodeJS.Signals | 'aborted' | 'boot_failed';
}

export interface RunSettings extends Config {
  /** Once aborted, it stops the service as TERM does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Serves an app with workers, like the command `tsgun`, until a signal stops it. Signals mean to this process
 * what they mean to the command's; HUP runs the script anew in new workers, so that they have its code as it is now, while
 * the settings stay what they were.
 * @param app a function, which workers get by running this process's script (`process.argv[1]`) again, up to this call;
 *   or `path[:export]`, relative to the working directory, which they load by themselves
 * @param settings rank like a config file's: above `$PORT` and `$WEB_CONCURRENCY`, below `TSGUN_*`. No file is read. With
 *   hooks for workers among them, they run the script too where the app is a path.
 * @returns when all workers have gone; sets `process.exitCode`. In a worker it never returns.
 * @throws ConfigError when a setting is bad or an address cannot be bound; then no worker has run
 */
export function run(app: string, settings?: RunSettings): Promise<Stopped>;
export function run(
  app: App,
  settings?: RunSettings & { readonly interface?: 'auto' | 'wsgi' | undefined },
): Promise<Stopped>;
export function run<I extends keyof Apps = 'auto'>(
  app: Apps[I],
  settings?: RunSettings & { readonly interface?: I | undefined },
): Promise<Stopped>;
export async function run(app: AnyApp | string, settings: RunSettings = {}): Promise<Stopped> {
  const offered = offerApp(app, settings);
  if (offered !== undefined) return offered as Promise<Stopped>;
  const call = calls++;
  try {
    const result = await runIfPossible(app, settings, outcomes.slice(0, call));
    outcomes[call] = { result };
    return result;
  } catch (error) {
    const told = inOptions(error);
    outcomes[call] = { error: report(told) };
    throw told;
  }
}

let calls = 0;
/** The results of the calls in this process, in order: a worker that runs the script again skips these calls. */
const outcomes: RunOutcome[] = [];

async function runIfPossible(
  app: AnyApp | string,
  given: RunSettings,
  earlierRuns: readonly RunOutcome[],
): Promise<Stopped> {
  expectNode('run()');
  expectOwnFiles((await import('../ipc/entries.ts')).workerEntry);
  if (typeof app !== 'function' && typeof app !== 'string' && (typeof app !== 'object' || app === null))
    throw new ConfigError(`app: expected an app or a path such as "app.ts:app", got ${describe(app)}`);
  if (!isMainThread)
    throw new ConfigError('run: this is a worker thread, which signals do not reach; call it in the main thread');
  if ('NODE_UNIQUE_ID' in process.env || (await import('node:cluster')).default.isWorker)
    throw new ConfigError(
      'run: this process is a worker of another cluster; start the script by itself (in PM2, fork mode)',
    );
  const { signal } = Object(given) as RunSettings;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new ConfigError(`signal: expected an AbortSignal, got ${describe(signal)} (run())`);
  if (isRunning) throw new ConfigError('run: it runs already in this process, which can be one master only');
  isRunning = true;
  try {
    return await runHere(app, withoutSignal(given), signal, earlierRuns);
  } finally {
    isRunning = false;
  }
}

let isRunning = false;

/** If it is not an object, that is reported together with the other problems. */
function withoutSignal(given: RunSettings): Config {
  if (typeof given !== 'object' || given === null || !('signal' in given)) return given;
  const { signal: _, ...settings } = given;
  return settings;
}

/** Loaded on demand: apps that import types from tsgun, and tests, need no master. */
async function runHere(
  app: AnyApp | string,
  settings: Config,
  signal: AbortSignal | undefined,
  earlierRuns: readonly RunOutcome[],
): Promise<Stopped> {
  const { Inbox } = await import('../master/inbox.ts');
  const { listenForCommands } = await import('../master/commands.ts');
  const { commandEvent, isStop } = await import('../master/events.ts');
  const { takeOverOutput } = await import('../log/output.ts');
  // A master must outlive the reader of its output.
  takeOverOutput();
  const inbox = new Inbox<import('../master/events.ts').MasterEvent>();
  let reason: Stopped['reason'] | undefined;
  const stopListening = listenForCommands((command, origin) => {
    const event = commandEvent(command, origin);
    if (isStop(event) && origin.from === 'signal') reason ??= origin.signal;
    inbox.push(event);
  });
  const abort = () => {
    reason ??= 'aborted';
    inbox.push(commandEvent('stop', { from: 'program' }));
  };
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  try {
    const { runMaster } = await import('../master/start.ts');
    const { loadConfiguration } = await import('../config/load.ts');
    const { startDirectory } = await import('../config/directory.ts');
    const { activationWarnings, takeActivation } = await import('../config/sources/activation.ts');
    const home = startDirectory();
    const source = programSource(settings);
    const script = typeof app !== 'string' || concernWorkers(source.hooks ?? {}) ? ownScript() : undefined;
    const line = {
      app: typeof app === 'string' ? app : nameOf(script!, home),
      values: {},
      program: { source, script, earlierRuns },
      warnings: activationWarnings(),
      activation: takeActivation(),
    };
    const exitCode = await runMaster({ load: () => loadConfiguration(line, process.env, home), inbox, home });
    process.exitCode = exitCode;
    return { exitCode, reason: exitCode === 0 && reason !== undefined ? reason : 'boot_failed' };
  } finally {
    stopListening();
    signal?.removeEventListener('abort', abort);
    // The early wait for a stop still runs, and its timer would keep this process alive.
    inbox.close();
  }
}

function ownScript(): string {
  const script = process.argv[1];
  if (script !== undefined && script !== '-') return resolve(script);
  throw new ConfigError(
    'run: there is no script for workers to run again; save it to a file, or give the path of an app',
  );
}

/** For the log and the process titles. */
function nameOf(script: string, home: string): string {
  const path = relative(home, script);
  return path.startsWith('..') ? script : path;
}
