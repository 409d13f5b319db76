/** `npm run generate` writes the files derived from the settings table; with `--check` it only compares. */

import { readFileSync, writeFileSync } from 'node:fs';
import { renderExampleConfig } from './render.ts';

const files = { 'config.example.json': renderExampleConfig() };

for (const [name, text] of Object.entries(files)) {
  const path = new URL(`../../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is not what the settings table says: run npm run generate`);
    process.exitCode = 1;
  }
}
