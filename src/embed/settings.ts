/** The settings of `createServer` and `inject`: those that mean something without a master and workers. */

import { closeSync } from 'node:fs';
import { chosenSettings, resolveSettings } from '../config/load.ts';
import { declarationOf, type SettingName, type Settings, settingNames } from '../config/settings.ts';
import { programSource } from '../config/sources/sources.ts';
import type { InProcessName, UserSettings } from '../config/user-settings.ts';
import { ConfigError, unwritable } from '../errors.ts';
import { type HookRequest, hookNames } from '../hooks.ts';
import { openFile } from '../log/target.ts';
import type { LogTarget } from '../logger.ts';
import { nameOptions } from './option-names.ts';
import { expectNode } from './runtime.ts';

export interface ServerSettings extends Pick<UserSettings, InProcessName> {
  /**
   * Called with what the app failed a request with: the error as it was thrown. Of a raw connection, the request's method
   * is `TCP` and its target the client's address.
   */
  readonly onError?: ((error: unknown, request: HookRequest) => unknown) | undefined;
  /** Takes the lines of the error log, from `logLevel` up, in place of standard error or `errorLogfile`. */
  readonly logger?: LogTarget | undefined;
}

export interface CheckedSettings extends Pick<ServerSettings, 'onError' | 'logger'> {
  readonly settings: Settings;
  /** Those that the caller has given. */
  readonly chosen: readonly SettingName[];
}

/** @param by the function that was called, for messages @throws ConfigError */
export function checkSettings(values: ServerSettings, by: string): CheckedSettings {
  expectNode(by);
  const source = programSource(values, by);
  const unsuitable = [...settingNames.filter((name) => !declarationOf(name).inProcess), ...hookNames]
    .filter((name) => name !== 'onError' && name !== 'logger')
    .filter((name) => Reflect.get(Object(values), name) !== undefined)
    .map((name) => `${name}: not for ${by}, which has no workers; run() takes it`);
  const own = { name: by, values: { bind: '127.0.0.1:0' } };
  const { settings, origins, problems } = resolveSettings([own, source]);
  if (unsuitable.length + problems.length > 0) throw new ConfigError([...unsuitable, ...problems.map(nameOptions)]);
  const [first, ...rest] = settings.bind;
  if (rest.length > 0 || first?.kind === 'fd')
    throw new ConfigError(`bind: ${by} listens on one HOST:PORT or unix:PATH; for more, create more`);
  const { onError, logger } = source.hooks ?? {};
  if (logger === undefined) checkLogFile(settings.errorLogfile, by);
  return { settings, chosen: chosenSettings({ origins }), onError, logger };
}

/** Now, as with other settings; it is opened when it is needed. */
function checkLogFile(path: string, by: string): void {
  if (path === '-') return;
  try {
    closeSync(openFile(path).fd);
  } catch (error) {
    throw unwritable('errorLogfile', path, error, by);
  }
}
