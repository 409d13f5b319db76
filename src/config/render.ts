/** What is generated from the settings table, as text. `generate.ts` writes it to files. */

import { type Setting, settingNames, table } from './settings.ts';

/** A config file that says the defaults: every setting that has one. */
export function renderExampleConfig(): string {
  const entries = settingNames.map((name) => [name, (table[name] as Setting<unknown>).default] as const);
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}
