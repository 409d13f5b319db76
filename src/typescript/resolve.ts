/**
 * Where an import of TypeScript leads that Node's own rules do not know: without an extension, with the one that the file
 * has after a build, to a folder, or by `paths` and `baseUrl`.
 */

import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCompiled, isDirectory, isFile, isInstalled } from './files.ts';
import { projectOf } from './options.ts';

/** In TypeScript's order, before what Node itself would add. */
const extensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];
/** What a built file's name stands for in the source. */
const sources: Record<string, readonly string[]> = {
  '.js': ['.ts', '.tsx', '.jsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/**
 * @param parent the file that imports
 * @returns the file that is meant, or undefined if Node is to decide
 */
export function findSource(specifier: string, parent: string): string | undefined {
  const isOurs = isCompiled(parent);
  if (!isOurs && isInstalled(parent)) return undefined;
  const found = isPath(specifier)
    ? findFile(pathOf(specifier, parent), isOurs)
    : first(projectOf(parent).candidates(specifier), (path) => findFile(path, isOurs));
  return found === undefined ? undefined : realpathSync(found);
}

function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);
}

function pathOf(specifier: string, parent: string): string {
  return specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(dirname(parent), specifier);
}

function findFile(path: string, prefersSource: boolean): string | undefined {
  const extension = /\.[cm]?jsx?$/.exec(path)?.[0] ?? '';
  const bare = path.slice(0, path.length - extension.length);
  const twin = first(sources[extension] ?? [], (each) => ifFile(bare + each));
  if (prefersSource && twin !== undefined) return twin;
  return (
    ifFile(path) ?? twin ?? first(extensions, (each) => ifFile(path + each)) ?? findInDirectory(path, prefersSource)
  );
}

function findInDirectory(path: string, prefersSource: boolean): string | undefined {
  if (!isDirectory(path)) return undefined;
  const main = mainOf(path);
  const found = main === undefined || main === '.' ? undefined : findFile(join(path, main), prefersSource);
  return found ?? first(extensions, (each) => ifFile(join(path, `index${each}`)));
}

function mainOf(directory: string): string | undefined {
  try {
    const { main } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { main?: unknown };
    return typeof main === 'string' ? main : undefined;
  } catch {
    return undefined;
  }
}

function ifFile(path: string): string | undefined {
  return isFile(path) ? path : undefined;
}

function first<T, R>(values: readonly T[], find: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
