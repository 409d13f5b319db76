/** The package's version, from its own package.json. */

import { readFileSync } from 'node:fs';

let known: string | undefined;

/** Read once: later the file may be gone, or another version's. */
export function version(): string {
  known ??= String(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version);
  return known;
}
