/** Lays the sources over one another, lowest first, and checks each value by its parser. */

import { ConfigError, describe } from '../errors.ts';
import { Expected } from './parsers.ts';
import { type Setting, type SettingName, type Settings, settingNames, table } from './settings.ts';
import { environmentSource, fileSource, platformSource, type Source } from './sources.ts';

/** What the command line says: the app, the config file, and raw values of settings. */
export interface CommandLine {
  readonly app: string;
  readonly config?: string;
  readonly values: Source['values'];
  /** What whoever started the process passed in, which overrules all that was configured. */
  readonly activation?: readonly Source[];
}

export interface Configuration {
  /** `path[:export]`, as the user gave it. */
  readonly app: string;
  readonly settings: Settings;
  /** Where each value came from, such as `default` or `$PORT`. */
  readonly origins: Readonly<Record<SettingName, string>>;
}

/** @throws ConfigError that names the setting, what it expects, what it got and from where */
export async function loadConfiguration(
  line: CommandLine,
  env: NodeJS.ProcessEnv = process.env,
  directory: string = process.cwd(),
): Promise<Configuration> {
  const sources = [
    ...platformSource(env),
    ...(await fileSource(line.config, directory)),
    ...environmentSource(env),
    { name: 'the command line', values: line.values },
    ...(line.activation ?? []),
  ];
  return { app: line.app, ...resolveSettings(sources) };
}

/** Pure: the later a source, the higher it ranks. Every given value is checked, overruled or not. */
export function resolveSettings(sources: readonly Source[]): Pick<Configuration, 'settings' | 'origins'> {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const { default: fallback } = table[name] as Setting<unknown>;
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
