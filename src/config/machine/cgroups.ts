/** The control groups of this process (cgroups(7)), and their files. */

import { readFileSync } from 'node:fs';

/** A file's text, or undefined if there is no such file. */
export type ReadText = (path: string) => string | undefined;

export interface GroupFolder {
  readonly version: 1 | 2;
  readonly path: string;
}

/**
 * The folders that may hold a controller's files: of the process's own group and all groups above, innermost first. In a
 * container the path may be one of the host, and missing; there the root is the own group.
 */
export function groupFolders(controller: string, readText: ReadText): GroupFolder[] {
  return (readText('/proc/self/cgroup') ?? '').split('\n').flatMap((line): GroupFolder[] => {
    // `ID:CONTROLLERS:PATH`; version 2 names no controllers.
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    const groups = upwards(path);
    if (controllers === '') return groups.map((group) => ({ version: 2, path: `/sys/fs/cgroup${group}` }));
    if (!controllers.split(',').includes(controller)) return [];
    return [controller, controllers].flatMap((mount) =>
      groups.map((group): GroupFolder => ({ version: 1, path: `/sys/fs/cgroup/${mount}${group}` })),
    );
  });
}

/** `/a/b` → `/a/b`, `/a`, and the root as the empty text. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return [...names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`), ''];
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
