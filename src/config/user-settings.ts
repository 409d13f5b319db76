/** Settings in the form in which a user writes them, as a config file has them: derived from the table. */

import type { Hooks } from '../hooks.ts';
import type { SettingName, Settings } from './settings.ts';

/** Those that may be written in more forms than the checked value has; a number may be a text of digits everywhere. */
interface Forms {
  /** `HOST:PORT`, `[V6]:PORT`, `unix:PATH` or `fd://N`. */
  bind: string | readonly string[];
  workers: number | 'auto';
  env: Readonly<Record<string, string | number | boolean>> | readonly string[];
  /** Octal digits as text, or a number. */
  umask: string | number | null;
  user: string | number | null;
  group: string | number | null;
}

type Form<K extends SettingName> = K extends keyof Forms
  ? Forms[K]
  : undefined extends Settings[K]
    ? Exclude<Settings[K], undefined> | null
    : Settings[K];

/** Times are in seconds and sizes in bytes. What is not given, or undefined, has its default; `null` is "not set". */
export type UserSettings = { readonly [K in SettingName]?: Form<K> | undefined };

/** What a config module exports, and `run` takes. */
export type Config = UserSettings & Hooks;
