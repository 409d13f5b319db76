/**
 * Where the code of a generation is, without symbolic links. A deploy may move a link to the next release; the release before is
 * still to be found by these paths.
 */

import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseReference } from '../../app-reference.ts';
import type { Configuration } from '../../config/load.ts';

type Place = Pick<Configuration, 'app' | 'script' | 'hooksFrom' | 'directory'>;

export interface Release extends Place {
  /** Whether its app or script was found through a symbolic link: then another release may take its place. */
  readonly isLinked: boolean;
}

export function releaseOf({ app, script, hooksFrom, directory }: Configuration): Release {
  if (script !== undefined) {
    const real = realPath(script, directory);
    return { app, script: real, hooksFrom, directory, isLinked: real !== resolve(directory, script) };
  }
  const { path } = parseReference(app);
  const hooks = typeof hooksFrom === 'object' ? { file: realPath(hooksFrom.file, directory) } : hooksFrom;
  const real = realPath(path, directory);
  return {
    app: real + app.slice(path.length),
    hooksFrom: hooks,
    directory,
    isLinked: real !== resolve(directory, path),
  };
}

/** Whether both have the same files: then the older release is no longer there. */
export function isSamePlace(one: Place, other: Place): boolean {
  return one.app === other.app && one.script === other.script && one.directory === other.directory;
}

/** Of a path such as `dist/main`, which Node finds as `dist/main.js`, at least the folder is resolved. */
function realPath(path: string, directory: string): string {
  const full = resolve(directory, path);
  for (const known of [() => realpathSync(full), () => join(realpathSync(dirname(full)), basename(full))])
    try {
      return known();
    } catch {}
  return full;
}
