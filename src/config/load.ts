/** Lays the sources over one another, lowest first, and checks each value by its parser; then all of them together. */

import { resolve } from 'node:path';
import { ConfigError, describe, type RunOutcome, report } from '../errors.ts';
import { concernWorkers, type Hooks } from '../hooks.ts';
import { type Checked, crossCheck } from './cross-checks.ts';
import { enterDirectory, startDirectory } from './directory.ts';
import { declarationOf, type SettingName, type Settings, settingNames } from './settings.ts';
import { configFileNames, readConfigFile } from './sources/config-file.ts';
import { workerVariables } from './sources/env-files.ts';
import {
  commandLineSource,
  configVariable,
  environmentSource,
  placeOf,
  platformSource,
  type Source,
  unknownVariables,
} from './sources/sources.ts';
import { tryNodeOptions } from './sources/try-node-options.ts';
import { Expected } from './values/parser.ts';

/** The contents of the command line: the app, the config file, and raw values of settings. */
export interface CommandLine {
  readonly app: string;
  /** What follows `--`: the app's own arguments. */
  readonly appArguments?: readonly string[];
  readonly config?: string;
  /** The settings of a program that starts tsgun itself, in place of a config file. */
  readonly program?: {
    readonly source: Source;
    readonly script?: string | undefined;
    readonly earlierRuns?: readonly RunOutcome[];
  };
  readonly values: Source['values'];
  /** Problems of the command line itself, reported with the others. */
  readonly problems?: readonly string[];
  /** What the parent process passed in (sockets); it overrules all settings. */
  readonly activation?: readonly Source[];
  /** Warnings about what the parent process passed in. */
  readonly warnings?: readonly string[];
}

export interface Configuration extends Checked {
  /** `path[:export]`, as the user gave it. */
  readonly app: string;
  /** The app's own command line. */
  readonly appArguments: readonly string[];
  /** The script that calls `run` with the app, where that or a hook for workers is a function. */
  readonly script?: string | undefined;
  /** The results of that script's earlier calls of `run`. */
  readonly earlierRuns?: readonly RunOutcome[] | undefined;
  readonly hooks: Hooks;
  /** Where workers find their hooks, if there are any. */
  readonly hooksFrom?: { readonly file: string } | 'script' | undefined;
  /** Where the app's path begins: the working directory without symbolic links, as it was when this was read. */
  readonly directory: string;
  /** Variables of the workers beside those of the environment: of env files, and of `env`. */
  readonly environment: Readonly<Record<string, string>>;
  /** The config file, or the names that it may have. */
  readonly configFiles: readonly string[];
  /** Warnings: valid, but most likely not meant. */
  readonly warnings: readonly string[];
}

/** A configuration, right or not: as much of it as could be read. */
export interface Draft {
  readonly configuration: Configuration;
  readonly problems: readonly string[];
  /** The error of a config module. */
  readonly cause: unknown;
}

/**
 * Reads all sources, and goes to the working directory that they ask for.
 * @param home where relative paths begin; entered first, as its name may stand for another directory by now
 * @throws ConfigError that names every problem: the setting, what it expects, what it got and from where
 */
export async function loadConfiguration(
  line: CommandLine,
  env: NodeJS.ProcessEnv = process.env,
  home: string = startDirectory(),
): Promise<Configuration> {
  return accept(await draftConfiguration(line, env, home));
}

/** @throws ConfigError that names every problem */
export function accept({ configuration, problems, cause }: Draft): Configuration {
  if (problems.length > 0) throw new ConfigError(problems, cause === undefined ? {} : { cause });
  return configuration;
}

/** As `loadConfiguration`, but hands its problems back. @throws ConfigError where `home` cannot be entered */
export async function draftConfiguration(
  line: CommandLine,
  env: NodeJS.ProcessEnv = process.env,
  home: string = startDirectory(),
): Promise<Draft> {
  enterDirectory(home);
  const found = line.program === undefined ? await readConfigFile(askedFile(line, env), home) : undefined;
  const written = line.program?.source ?? found?.source;
  const hooks = written?.hooks ?? {};
  const { settings, origins, problems } = resolveSettings([
    ...platformSource(env),
    ...(written === undefined ? [] : [written]),
    ...environmentSource(env),
    ...commandLineSource(line.values),
    ...(line.activation ?? []),
  ]);
  const named = resolve(home, settings.chdir ?? '.');
  const { directory, problem } = enter(named, settings.chdir === undefined ? undefined : origins.chdir);
  const pathed = withPaths(settings, named);
  const { environment, ...files } = workerVariables({ settings: pathed, origins }, env);
  const refusal = await tryNodeOptions({ settings, origins });
  const nodeEnv = environment.NODE_ENV ?? env.NODE_ENV;
  const checked = crossCheck({ settings, origins }, { isRoot: process.geteuid?.() === 0, nodeEnv });
  return {
    configuration: {
      app: line.app,
      appArguments: line.appArguments ?? [],
      script: line.program?.script,
      earlierRuns: line.program?.earlierRuns,
      hooks,
      hooksFrom: concernWorkers(hooks) ? (written?.path === undefined ? 'script' : { file: written.path }) : undefined,
      directory,
      settings: pathed,
      origins,
      environment,
      configFiles: configFilesOf(line, env).map((name) => resolve(home, name)),
      warnings: [
        ...(line.warnings ?? []),
        ...(found?.warnings ?? []),
        ...unknownVariables(env),
        ...files.warnings,
        ...checked.warnings,
      ],
    },
    problems: [...(line.problems ?? []), ...problems, ...problem, ...files.problems, ...refusal, ...checked.problems],
    cause: written?.cause,
  };
}

function configFilesOf(line: CommandLine, env: NodeJS.ProcessEnv): readonly string[] {
  if (line.program !== undefined) return [];
  const asked = askedFile(line, env);
  return asked === undefined ? configFileNames : [asked.name];
}

function askedFile({ config }: CommandLine, env: NodeJS.ProcessEnv): { name: string; by: string } | undefined {
  if (config !== undefined) return { name: config, by: '--config' };
  const name = env[configVariable];
  return name ? { name, by: configVariable } : undefined;
}

/** @param origin where `chdir` is said, if it is */
function enter(named: string, origin: string | undefined): { directory: string; problem: string[] } {
  try {
    return { directory: enterDirectory(named, origin === undefined ? 'directory' : 'chdir'), problem: [] };
  } catch (error) {
    return { directory: named, problem: [`${report(error).message}${origin === undefined ? '' : ` (${origin})`}`] };
  }
}

/** Files by the directory's name and not by what it is now: a log must not be left behind in yesterday's release. */
function withPaths(settings: Settings, directory: string): Settings {
  const full = (path: unknown) => (typeof path === 'string' && path !== '-' ? resolve(directory, path) : path);
  const paths = settingNames
    .filter((name) => declarationOf(name).isPath)
    .map((name) => [name, Array.isArray(settings[name]) ? settings[name].map(full) : full(settings[name])] as const);
  return { ...settings, ...Object.fromEntries(paths) };
}

/**
 * Pure: the later a source, the higher it ranks. Every given value is checked, overruled or not; a wrong one is a
 * problem and counts no further.
 */
export function resolveSettings(sources: readonly Source[]): Checked & { readonly problems: readonly string[] } {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, string>> = {};
  const problems: string[] = [];
  for (const source of [{ name: 'default', values: defaults() } as Source, ...sources]) {
    const found = [...(source.problems ?? [])];
    for (const name of settingNames) {
      const raw = source.values[name];
      if (raw === undefined) continue;
      try {
        settings[name] = declarationOf(name).parse(raw);
        origins[name] = placeOf(source, name);
      } catch (error) {
        if (!(error instanceof Expected)) throw error;
        found.push(explain(name, error, raw, placeOf(source, name)));
      }
    }
    problems.push(...(source.lines === undefined ? found : found.sort((a, b) => lineOf(a) - lineOf(b))));
  }
  return { settings: settings as Settings, origins: origins as Record<SettingName, string>, problems };
}

function explain(name: SettingName, { message, got, remedy }: Expected, raw: unknown, place: string): string {
  const instead = remedy === undefined ? '' : `; ${remedy}`;
  return `${name}: expected ${message}, got ${describe(got ?? raw)}${instead} (${place})`;
}

/** Problems of a file are sorted by line: a user corrects it from the top. */
function lineOf(problem: string): number {
  return Number(/:(\d+)\)$/.exec(problem)?.[1] ?? 0);
}

function defaults(): Source['values'] {
  return Object.fromEntries(settingNames.map((name) => [name, declarationOf(name).default]));
}

/** Those that the user has set, wherever. */
export function chosenSettings({ origins }: Pick<Checked, 'origins'>): SettingName[] {
  return settingNames.filter((name) => origins[name] !== 'default');
}
