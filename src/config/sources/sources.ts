/**
 * The sources of settings, each a bag of raw values with a name for error messages. Names are checked here, values are
 * not.
 */

import { describe } from '../../errors.ts';
import { type Hooks, hookNames, hookProblems, pickHooks } from '../../hooks.ts';
import { kebabCase } from '../kebab-case.ts';
import { explainUnknown } from '../names/names.ts';
import { environmentName, isSetting, type SettingName, settingNames } from '../settings.ts';

export interface Source {
  /** As errors and `--print-config` show it: `tsgun.config.ts`, `TSGUN_WORKERS`, `--workers`, `$PORT`. */
  readonly name: string;
  readonly values: Partial<Record<SettingName, unknown>>;
  /** Of a file: where each key stands. */
  readonly lines?: ReadonlyMap<string, number>;
  /** What is wrong with the source itself. */
  readonly problems?: readonly string[];
  /** The error that a module threw. */
  readonly cause?: unknown;
  readonly hooks?: Hooks;
  /** The module that the hooks are of. */
  readonly path?: string;
}

/** `tsgun.config.json:12`, or the source's name where the line is not known. */
export function placeOf({ name, lines }: Source, key: string): string {
  const line = lines?.get(key);
  return line === undefined ? name : `${name}:${line}`;
}

/** The variables that hosting platforms set by convention. */
export function platformSource(env: NodeJS.ProcessEnv): Source[] {
  const { WEB_CONCURRENCY, PORT } = env;
  const sources: Source[] = [];
  if (WEB_CONCURRENCY) sources.push({ name: '$WEB_CONCURRENCY', values: { workers: WEB_CONCURRENCY } });
  if (!PORT) return sources;
  const isPort = /^\d{1,5}$/.test(PORT) && Number(PORT) <= 65_535;
  const problems = isPort ? [] : [`bind: expected a port from 0 to 65535, got ${describe(PORT)} ($PORT)`];
  return [...sources, { name: '$PORT', values: isPort ? { bind: `0.0.0.0:${PORT}` } : {}, problems }];
}

/** `TSGUN_WORKERS=4` and the like. */
export function environmentSource(env: NodeJS.ProcessEnv): Source[] {
  return settingNames.flatMap((name) => {
    const variable = environmentName(name);
    return env[variable] ? [{ name: variable, values: { [name]: env[variable] } }] : [];
  });
}

/** One source for each option, so that each is named. */
export function commandLineSource(values: Source['values']): Source[] {
  return (Object.keys(values) as SettingName[]).map((name) => ({
    name: `--${kebabCase(name)}`,
    values: { [name]: values[name] },
  }));
}

/** Names the config file, as `--config` does. */
export const configVariable = 'TSGUN_CONFIG';
/** Variables that tsgun itself reads, or sets for its own processes. */
const ownVariables = [configVariable, 'TSGUN_NO_INTERNALS', 'TSGUN_WORKER_ORDER'];
/** Kubernetes gives these to every container where there is a service by the name of tsgun. */
const serviceLinks = /^TSGUN_(SERVICE_(HOST|PORT)(_|$)|PORT(_\d+_(TCP|UDP|SCTP)(_|$)|$))/;

/** `TSGUN_*` variables that are not settings, each with a hint: a typo there is hard to see. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames.map(environmentName);
  const gunicorns = env.GUNICORN_CMD_ARGS
    ? ['GUNICORN_CMD_ARGS: it is of gunicorn, and is ignored; write TSGUN_* variables']
    : [];
  const unknown = Object.keys(env)
    .filter((name) => name.startsWith('TSGUN_') && !known.includes(name) && !ownVariables.includes(name))
    .filter((name) => !serviceLinks.test(name) || (name === 'TSGUN_PORT' && !env[name]?.includes('://')))
    .map((name) => {
      const hint = explainUnknown(name.slice('TSGUN_'.length), 'environment', env[name]);
      return `${name}: no such setting, so it is ignored${hint === undefined ? '' : `; ${hint}`}`;
    });
  return [...gunicorns, ...unknown];
}

/** The argument of `run` and the like. */
export function programSource(values: unknown, name = 'run()'): Source {
  return sourceOf(values, { name });
}

/** What a config file holds, or a program says. */
export function sourceOf(content: unknown, from: Pick<Source, 'name' | 'lines' | 'path' | 'problems'>): Source {
  const before = from.problems ?? [];
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const problem = `config: expected an object of settings, got ${describe(content)} (${from.name})`;
    return { ...from, values: {}, problems: before.length > 0 ? before : [problem] };
  }
  const place = (key: string) => placeOf({ ...from, values: {} }, key);
  const unknown = Object.keys(content)
    .filter((key) => key !== '$schema' && !isSetting(key) && !(hookNames as string[]).includes(key))
    .map((key) => {
      const hint = explainUnknown(key, 'file', Reflect.get(content, key));
      return `${key}: no such setting${hint === undefined ? '' : `; ${hint}`} (${place(key)})`;
    });
  const badHooks = hookProblems(content, place);
  const hooks = badHooks.length > 0 ? {} : pickHooks(content, from.name);
  return { ...from, values: content, hooks, problems: [...before, ...unknown, ...badHooks] };
}
