/** Lays the sources over one another, lowest first, and checks each value by its parser. */

import { resolve } from 'node:path';
import { ConfigError, describe } from '../errors.ts';
import { concernWorkers, type Hooks } from '../hooks.ts';
import { enterDirectory, startDirectory } from './directory.ts';
import { Expected } from './parsers.ts';
import { declarationOf, type SettingName, type Settings, settingNames, table } from './settings.ts';
import { environmentSource, fileSource, platformSource, type Source, unknownVariables } from './sources.ts';

/** What the command line says: the app, the config file, and raw values of settings. */
export interface CommandLine {
  readonly app: string;
  /** What follows `--`: the app's own arguments. */
  readonly appArguments?: readonly string[];
  readonly config?: string;
  /** What a program that starts tsgun itself says, in place of a config file. */
  readonly program?: { readonly source: Source; readonly script?: string | undefined };
  readonly values: Source['values'];
  /** What whoever started the process passed in, which overrules all that was configured. */
  readonly activation?: readonly Source[];
}

export interface Configuration {
  /** `path[:export]`, as the user gave it. */
  readonly app: string;
  /** The app's own command line. */
  readonly appArguments: readonly string[];
  /** The script that calls `run` with the app, where that or a hook for workers is a function. */
  readonly script?: string | undefined;
  readonly hooks: Hooks;
  /** Where workers find theirs, if they have any. */
  readonly hooksFrom?: { readonly file: string } | 'script' | undefined;
  /** Where the app's path begins: the working directory without symbolic links, as it was when this was read. */
  readonly directory: string;
  readonly settings: Settings;
  /** Where each value came from, such as `default` or `$PORT`. */
  readonly origins: Readonly<Record<SettingName, string>>;
  /** What is not wrong, and yet most likely not meant. */
  readonly warnings: readonly string[];
}

/**
 * Reads all sources, and goes to the working directory that they ask for.
 * @param home where relative paths begin; entered first, as its name may stand for another directory by now
 * @throws ConfigError that names the setting, what it expects, what it got and from where
 */
export async function loadConfiguration(
  line: CommandLine,
  env: NodeJS.ProcessEnv = process.env,
  home: string = startDirectory(),
): Promise<Configuration> {
  enterDirectory(home);
  const written = line.program?.source ?? (await fileSource(line.config, home));
  const hooks = written?.hooks ?? {};
  const sources = [
    ...platformSource(env),
    ...(written === undefined ? [] : [written]),
    ...environmentSource(env),
    { name: 'the command line', values: line.values },
    ...(line.activation ?? []),
  ];
  const { settings, origins } = resolveSettings(sources);
  const named = resolve(home, settings.chdir ?? '.');
  const directory = enterDirectory(named, settings.chdir === undefined ? 'directory' : 'chdir');
  const warnings = unknownVariables(env);
  return {
    app: line.app,
    appArguments: line.appArguments ?? [],
    script: line.program?.script,
    hooks,
    hooksFrom: concernWorkers(hooks) ? (written?.path === undefined ? 'script' : { file: written.path }) : undefined,
    directory,
    settings: withPaths(settings, named),
    origins,
    warnings,
  };
}

/** Files by the directory's name and not by what it is now: a log must not be left behind in yesterday's release. */
function withPaths(settings: Settings, directory: string): Settings {
  const files = settingNames.filter((name) => declarationOf(name).isPath);
  const paths = files.flatMap((name) => {
    const path = settings[name];
    return typeof path === 'string' && path !== '-' ? [[name, resolve(directory, path)]] : [];
  });
  return { ...settings, ...Object.fromEntries(paths) };
}

/** Pure: the later a source, the higher it ranks. Every given value is checked, overruled or not. */
export function resolveSettings(sources: readonly Source[]): Pick<Configuration, 'settings' | 'origins'> {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const { default: fallback } = declarationOf(name);
    for (const source of [{ name: 'default', values: { [name]: fallback } } as Source, ...sources]) {
      const raw = source.values[name];
      if (raw === undefined) continue;
      settings[name] = parseValue(name, raw, source.name);
      origins[name] = source.name;
    }
  }
  return { settings: settings as Settings, origins: origins as Record<SettingName, string> };
}

function parseValue(name: SettingName, raw: unknown, from: string): unknown {
  try {
    return table[name].parse(raw);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    throw new ConfigError(`${name}: expected ${error.message}, got ${describe(error.got ?? raw)} (from ${from})`);
  }
}
