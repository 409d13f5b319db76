/** Limits that an app cannot change on its own `http.Server`: those that the user has set, and those that the worker class decides. */

import type { HandlerOptions } from '../app/handler.ts';
import { kebabCase } from '../config/kebab-case.ts';
import type { SettingName } from '../config/settings.ts';

type Fixed = NonNullable<HandlerOptions['fixed']>;

const settingOf: Readonly<Record<keyof Fixed, SettingName>> = {
  keepAliveMs: 'keepAlive',
  headerMs: 'headerTimeout',
  receiveMs: 'bodyTimeout',
  fieldCount: 'limitRequestFields',
  maxConnections: 'workerConnections',
};

const ofSync: Fixed = {
  keepAliveMs: 'a sync worker closes each connection after its answer',
  maxConnections: 'a sync worker takes one connection at a time',
};

/** @param chosen settings that are not the defaults of tsgun */
export function fixedLimits(
  chosen: readonly SettingName[],
  workerClass?: string,
  nameOf: (setting: SettingName) => string = (setting) => `--${kebabCase(setting)}`,
): Fixed {
  const byUser = Object.entries(settingOf)
    .filter(([, setting]) => chosen.includes(setting))
    .map(([limit, setting]) => [limit, `${nameOf(setting)} is set`]);
  return { ...(Object.fromEntries(byUser) as Fixed), ...(workerClass === 'sync' ? ofSync : {}) };
}
