/** What `run` and `createServer` need of the process that calls them. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';
import { keepExternal } from '../ipc/entries.ts';
import { otherRuntime } from '../runtime.ts';

/** @param by the function that was called @throws ConfigError in another runtime */
export function expectNode(by: string): void {
  const other = otherRuntime();
  if (other !== undefined) throw new ConfigError(`${by}: tsgun runs on Node.js 20.19 and later; this is ${other}`);
}

/**
 * Workers start from files of this package.
 * @throws ConfigError where a bundler has made one file of it and the caller's script
 */
export function expectOwnFiles(entry: URL): void {
  if (existsSync(fileURLToPath(entry))) return;
  throw new ConfigError(
    `run(): tsgun's own files are not where it looks for them (${fileURLToPath(entry)}): was it bundled with the script? ${keepExternal}`,
  );
}
