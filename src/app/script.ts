/**
 * A user's own script as the source of the app: run anew in each worker, it hands its app over where it calls `run`. The
 * script is the process's main module, as it was in the master, so that what it asks of Node has the same answer.
 */

import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { AppLoadError, type RunOutcome, report, revive } from '../errors.ts';
import { type Hooks, pickHooks } from '../hooks.ts';
import { runAsMain } from '../node/main-module.ts';
import { isModule } from '../typescript/files.ts';
import { importModule, loadApp } from './load.ts';

/** Where an app comes from. */
export interface AppSource {
  /** `path[:export]`, or a name for the log where there is a script. */
  readonly app: string;
  /** The user's script that calls `run` with it. */
  readonly script?: string | undefined;
  /** How its calls before that one ended: it finds them the same when it is run again. */
  readonly earlierRuns?: readonly RunOutcome[] | undefined;
}

/** @returns how an earlier call ended; undefined for the one that is asked for */
type Offer = (app: unknown, settings?: object) => RunOutcome | undefined;

/** Global, as the script's `tsgun` may be another copy than the one that runs this process. */
const key = Symbol.for('tsgun.offer');

/** @throws AppLoadError */
export async function loadFrom({ app, script, earlierRuns }: AppSource): Promise<unknown> {
  if (script === undefined) return loadApp(app, true);
  const offered = await appOf(script, earlierRuns);
  return typeof offered === 'string' ? loadApp(offered) : offered;
}

/**
 * @returns undefined outside of a worker. In a worker, what `run` returns: the outcome of an earlier call, or, for the call that
 *   is served, a promise that never settles
 */
export function offerApp(app: unknown, settings: object): Promise<unknown> | undefined {
  const offer = Reflect.get(globalThis, key) as Offer | undefined;
  if (offer === undefined) return undefined;
  const outcome = offer(app, settings);
  if (outcome === undefined) return new Promise(() => {});
  return 'error' in outcome ? Promise.reject(revive(outcome.error)) : Promise.resolve(outcome.result);
}

let hooks: Hooks = {};

/** Those that came with the app, once it is loaded. */
export function offeredHooks(): Hooks {
  return hooks;
}

function appOf(script: string, earlierRuns: readonly RunOutcome[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let isOffered = false;
    let calls = 0;
    const offer: Offer = (app, settings = {}) => {
      const earlier = earlierRuns[calls++];
      if (earlier !== undefined) return earlier;
      isOffered = true;
      hooks = pickHooks(settings, 'run()');
      resolve(app);
      return undefined;
    };
    Reflect.set(globalThis, key, offer);
    // It never ends where it awaits `run`.
    execute(script).then(
      () => {
        const reason = 'it did not call run(); in a worker it must do so too, with the same app';
        reject(new AppLoadError(`app: ${script} was run again in a worker, where ${reason}`));
      },
      (error: unknown) => {
        const reason = report(error).message.replace(/\s+/g, ' ');
        // What fails later fails beside an app that serves.
        if (isOffered) throw error;
        reject(new AppLoadError(`app: ${script} failed to load: ${reason}`, { cause: error }));
      },
    );
  });
}

async function execute(script: string): Promise<unknown> {
  const path = realpathSync(createRequire(pathToFileURL(script)).resolve(script));
  const isJavaScript = !/\.[cm]?ts$/.test(path);
  const canRun = isJavaScript || Reflect.get(process.features, 'typescript') || hasLoader();
  if (!canRun) return importModule(path, true);
  runAsMain(isModule(path));
  // It has begun, or begins here: there is only one of each module.
  return import(pathToFileURL(path).href);
}

/** Whether the user runs Node with something that loads TypeScript, such as tsx: workers inherit it. */
function hasLoader(): boolean {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
  return options.some((option) => /^(-r|--require|--import|--loader|--experimental-loader)(=|$)/.test(option));
}
