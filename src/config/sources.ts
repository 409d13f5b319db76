/**
 * Where setting values come from, each as a bag of raw values with a name for error messages. Nothing is checked here
 * but that the names exist.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, describe, report } from '../errors.ts';
import { type Hooks, hookNames, pickHooks } from '../hooks.ts';
import { environmentName, isSetting, type SettingName, settingNames } from './settings.ts';
import { nearest } from './suggest.ts';

export interface Source {
  /** Completes "got 4 (from …)". */
  readonly name: string;
  readonly values: Partial<Record<SettingName, unknown>>;
  readonly hooks?: Hooks;
  /** The module that the hooks are of. */
  readonly path?: string;
}

/** The variables that hosting platforms set by convention. */
export function platformSource(env: NodeJS.ProcessEnv): Source[] {
  const { WEB_CONCURRENCY, PORT } = env;
  const sources: Source[] = [];
  if (WEB_CONCURRENCY) sources.push({ name: '$WEB_CONCURRENCY', values: { workers: WEB_CONCURRENCY } });
  if (PORT) sources.push({ name: '$PORT', values: { bind: `0.0.0.0:${PORT}` } });
  return sources;
}

/** `TSGUN_WORKERS=4` and the like. */
export function environmentSource(env: NodeJS.ProcessEnv): Source[] {
  return settingNames.flatMap((name) => {
    const variable = environmentName(name);
    return env[variable] ? [{ name: `$${variable}`, values: { [name]: env[variable] } }] : [];
  });
}

/** For what is not always needed: import() of a CommonJS package takes half as long again, looking for its exports. */
const require = createRequire(import.meta.url);

/** What tsgun itself reads, or gives to its own processes. */
const ownVariables = ['TSGUN_NO_INTERNALS', 'TSGUN_WORKER_ORDER'];
/** Kubernetes gives these to every container where there is a service by the name of tsgun. */
const serviceLinks = /^TSGUN_(SERVICE_(HOST|PORT)(_|$)|PORT(_\d+_(TCP|UDP|SCTP)(_|$)|$))/;

/** `TSGUN_*` variables that say nothing, each with what may have been meant: a typo there is hard to see. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames.map(environmentName);
  return Object.keys(env)
    .filter((name) => name.startsWith('TSGUN_') && !known.includes(name) && !ownVariables.includes(name))
    .filter((name) => !serviceLinks.test(name) || (name === 'TSGUN_PORT' && !env[name]?.includes('://')))
    .map((name) => {
      const guess = nearest(name, known);
      return `$${name} is not a setting, and is ignored${guess ? `; did you mean $${guess}?` : ''}`;
    });
}

const configFileNames = ['tsgun.config.ts', 'tsgun.config.js', 'tsgun.config.mjs', 'tsgun.config.json'];

/** The config file: the one asked for, else the first of the usual names that is there, else none. */
export async function fileSource(asked: string | undefined, directory: string): Promise<Source | undefined> {
  for (const name of asked === undefined ? configFileNames : [asked]) {
    const path = resolve(directory, name);
    const content = await readConfigFile(path, name, asked !== undefined);
    if (content !== undefined) return { ...sourceOf(content, name), path };
  }
  return undefined;
}

async function readConfigFile(path: string, name: string, required: boolean): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!required && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`config: cannot read ${describe(name)}: ${report(error).message}`);
  }
  try {
    if (path.endsWith('.json')) return JSON.parse(text);
    return await readModule(path);
  } catch (error) {
    const reason = `config: ${name} cannot be loaded: ${report(error).message.replace(/\s+/g, ' ')}`;
    throw path.endsWith('.json') ? new ConfigError(reason) : new ConfigError(reason, { cause: error });
  }
}

async function readModule(path: string): Promise<unknown> {
  const module = await importFresh(path);
  return module.default ?? module;
}

/**
 * The hooks of a config module, in a worker: functions do not travel, so that it reads them for itself.
 * @throws ConfigError
 */
export async function readHooks(path: string): Promise<Hooks> {
  return pickHooks(Object(await readModule(path)), path);
}

/** Past the module caches: a reload must see the file as it is now. */
async function importFresh(path: string): Promise<Record<string, unknown>> {
  const { href } = pathToFileURL(path);
  if (path.endsWith('.mjs')) return import(`${href}?at=${performance.now()}`);
  // No cache on disk: its default place is open to everyone, and what lies there would run with the master's rights.
  const { createJiti } = require('jiti') as typeof import('jiti');
  const jiti = createJiti(href, { moduleCache: false, fsCache: false, interopDefault: false });
  return jiti.import<Record<string, unknown>>(path);
}

/** The argument of `run` and the like. */
export function programSource(values: unknown, name = 'run()'): Source {
  return sourceOf(values, name);
}

function sourceOf(content: unknown, file: string): Source {
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigError(`config: ${file} must hold an object of settings, got ${describe(content)}`);
  for (const key of Object.keys(content)) {
    if (key === '$schema' || isSetting(key) || (hookNames as string[]).includes(key)) continue;
    const guess = nearest(key, [...settingNames, ...hookNames]);
    throw new ConfigError(`${key}: no such setting (from ${file})${guess ? `; did you mean ${guess}?` : ''}`);
  }
  return { name: file, values: content, hooks: pickHooks(content, file) };
}
