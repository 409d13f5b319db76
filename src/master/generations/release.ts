/**
 * Where the code of a generation is, without symbolic links. A deploy may move a link to the next release; the release before is
 * still to be found by these paths.
 */

import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Configuration } from '../../config/load.ts';

export type Release = Pick<Configuration, 'app' | 'script' | 'hooksFrom' | 'directory'>;

export function releaseOf({ app, script, hooksFrom, directory }: Configuration): Release {
  if (script !== undefined) return { app, script: realPath(script, directory), hooksFrom, directory };
  const [, path = '', name = ''] = /^(.*?)(:[^/:]*)?$/s.exec(app) ?? [];
  const hooks = typeof hooksFrom === 'object' ? { file: realPath(hooksFrom.file, directory) } : hooksFrom;
  return { app: realPath(path, directory) + name, hooksFrom: hooks, directory };
}

/** Whether both have the same files: then the older release is no longer there. */
export function isSamePlace(one: Release, other: Release): boolean {
  return one.app === other.app && one.script === other.script && one.directory === other.directory;
}

/** Of `dist/main`, which Node finds as `dist/main.js`, at least the folder's. */
function realPath(path: string, directory: string): string {
  const full = resolve(directory, path);
  for (const known of [() => realpathSync(full), () => join(realpathSync(dirname(full)), basename(full))])
    try {
      return known();
    } catch {}
  return full;
}
