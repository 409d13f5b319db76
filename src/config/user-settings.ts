/** Settings in the form in which a user writes them, as a config file has them: derived from the table. */

import type { Hooks } from '../hooks.ts';
import type { SettingName, table } from './settings.ts';

type Form<K extends SettingName> = Exclude<(typeof table)[K]['parse']['form'], undefined>;

/** Times are in seconds and sizes in bytes. What is not given, or undefined, has its default; `null` is "not set". */
export type UserSettings = { readonly [K in SettingName]?: Form<K> | undefined };

/** Those that mean something without a master and workers. */
export type InProcessName = {
  [K in SettingName]: (typeof table)[K] extends { inProcess: true } ? K : never;
}[SettingName];

/** What a config module exports, and `run` takes. */
export type Config = UserSettings & Hooks;
