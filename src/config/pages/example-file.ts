/** `config.example.json`: a config file that holds every setting with its default. */

import { declarationOf, settingNames } from '../settings.ts';

/** Where an editor finds the schema in a project that has tsgun installed. */
const schemaPath = './node_modules/tsgun/config.schema.json';

export function renderExampleConfig(): string {
  const entries = settingNames.map((name) => [name, declarationOf(name).default]);
  return `${JSON.stringify({ $schema: schemaPath, ...Object.fromEntries(entries) }, undefined, 2)}\n`;
}
