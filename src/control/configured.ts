/** Where the configuration says that an instance is found: for a command that names none. */

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Target } from './target.ts';

const variables = ['TSGUN_CONFIG', 'TSGUN_CONTROL_SOCKET', 'TSGUN_PIDFILE'];

/**
 * Reads the config file of the working directory and the environment, as a start would. A configuration with mistakes must not
 * keep anybody from stopping what runs: then it says nothing.
 */
export async function configured(env = process.env): Promise<Target> {
  let directory: string | undefined;
  try {
    directory = process.cwd();
    const isThere = variables.some((name) => env[name] !== undefined) || readdirSync('.').some(isConfigFile);
    if (!isThere) return {};
    // Loaded only here: most commands need none of it.
    const { draftConfiguration } = await import('../config/load.ts');
    const { configuration } = await draftConfiguration({ app: '', values: {} }, env);
    const { controlSocket, pidfile } = configuration.settings;
    if (controlSocket) return { controlSocket: resolve(controlSocket) };
    // Without the file, the instance was started in another way.
    return pidfile !== undefined && existsSync(pidfile) ? { pidfile: resolve(pidfile) } : {};
  } catch {
    return {};
  } finally {
    // A configuration may name another directory; what this command writes belongs here.
    if (directory !== undefined) process.chdir(directory);
  }
}

function isConfigFile(name: string): boolean {
  return name.startsWith('tsgun.config.');
}
