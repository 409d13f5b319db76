/** What a path says about the file: whether it is compiled, and whether Node takes it for a module. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Extensions that Node cannot run, or can in part only. */
export const compiledExtensions = ['.ts', '.mts', '.cts', '.tsx', '.jsx'];

export function isCompiled(path: string): boolean {
  return /\.(?:[cm]?ts|[tj]sx)$/.test(path) && !/\.d\.[cm]?ts$/.test(path);
}

export function isInstalled(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What the package.json says; undeclared: nothing, and the file's own text decides. */
export type PackageType = 'module' | 'commonjs' | 'undeclared';

/** Whether Node takes it for an ES module by its name or its package; else its text may still say so. */
export function isModule(path: string): boolean {
  return /\.m[jt]s$/.test(path) || (!/\.c[jt]s$/.test(path) && packageTypeOf(path) === 'module');
}

const types = new Map<string, PackageType>();

/** Of the nearest package.json, as Node looks for it. */
export function packageTypeOf(path: string): PackageType {
  return typeIn(dirname(path));
}

function typeIn(directory: string): PackageType {
  const known = types.get(directory);
  if (known !== undefined) return known;
  const file = join(directory, 'package.json');
  const above = dirname(directory);
  const isEdge = above === directory || directory.endsWith(`${sep}node_modules`);
  const type = existsSync(file) ? typeSaid(file) : isEdge ? 'undeclared' : typeIn(above);
  types.set(directory, type);
  return type;
}

function typeSaid(file: string): PackageType {
  try {
    const { type } = JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown };
    return type === 'module' || type === 'commonjs' ? type : 'undeclared';
  } catch {
    // If Node needs the file, it reports the error.
    return 'undeclared';
  }
}
