/** What is generated from the settings table, as text. `generate.ts` writes it to files. */

import { declarationOf, settingNames } from './settings.ts';

/** A config file that says the defaults: every setting that has one. */
export function renderExampleConfig(): string {
  const entries = settingNames.map((name) => [name, declarationOf(name).default] as const);
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}
