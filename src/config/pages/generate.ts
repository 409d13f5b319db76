/** `npm run generate` writes the files derived from the table of settings and from that of events; with `--check` it only compares. */

import { readFileSync, writeFileSync } from 'node:fs';
import { renderLogPage } from '../../log/events-page.ts';
import { renderExampleConfig } from './example-file.ts';
import { renderSchema } from './schema.ts';
import { renderSettingsPage } from './settings-page.ts';

const files = {
  'config.example.json': renderExampleConfig(),
  'config.schema.json': renderSchema(),
  'docs/settings.md': renderSettingsPage(),
  'docs/log.md': renderLogPage(),
};

for (const [name, text] of Object.entries(files)) {
  const path = new URL(`../../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readIfThere(path) !== text) {
    console.error(`${name} is not what the code declares: run npm run generate`);
    process.exitCode = 1;
  }
}

function readIfThere(path: URL): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
