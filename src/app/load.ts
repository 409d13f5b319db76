/**
 * `path[:export]` to an app. JavaScript is loaded by Node itself; TypeScript by jiti, which needs no build step, no flag
 * and no hook thread on any supported Node, takes enums and extensionless imports, and keeps every line where it was, so
 * that stacks show the lines of the source.
 */

import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppLoadError, describe, report } from '../errors.ts';

export interface AppReference {
  readonly path: string;
  /** Undefined: the default export, else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create()`: the export is a factory. */
  readonly isFactory: boolean;
}

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const referenceForm = /^(.*?)(?::([A-Za-z_$][\w$]*)(\(\))?)?$/s;

/** Pure. The path may hold colons; only a last one with a name after it begins an export. */
export function parseReference(text: string): AppReference {
  const [, path = '', exportName, call] = referenceForm.exec(text) ?? [];
  return { path, exportName, isFactory: call !== undefined };
}

/** @throws AppLoadError that says what is wrong and what would be right; the app's own error is its `cause` */
export async function loadApp(text: string, directory: string = process.cwd()): Promise<unknown> {
  const reference = parseReference(text);
  const path = resolve(directory, reference.path);
  await checkFile(path, reference.path);
  const exports = await importApp(path, reference.path);
  const value = pickExport(exports, reference);
  return reference.isFactory ? callFactory(value, reference) : settleable(value);
}

/** A router that takes any name for a method's, `then` too, would be waited for without an end: only its `fetch` is passed on. */
function settleable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Promise) return value;
  const { then, fetch } = value as { then?: unknown; fetch?: unknown };
  if (typeof then !== 'function' || typeof fetch !== 'function') return value;
  return { fetch: (...args: unknown[]) => Reflect.apply(fetch, value, args) };
}

async function checkFile(path: string, given: string): Promise<void> {
  if (!extensions.some((extension) => path.endsWith(extension)))
    throw new AppLoadError(`app: ${describe(given)} is not one of ${extensions.join(' ')} files`);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') return undefined;
    const user = `user ${process.geteuid?.()}`;
    throw new AppLoadError(`app: ${describe(given)} is in a folder that ${user} may not enter (looked for ${path})`);
  });
  if (found === undefined) throw new AppLoadError(`app: no file ${describe(given)} (looked for ${path})`);
  if (!found.isFile()) throw new AppLoadError(`app: ${describe(given)} is not a file (${path})`);
}

async function importApp(path: string, given: string): Promise<Record<string, unknown>> {
  try {
    return await importModule(path);
  } catch (error) {
    const reason = report(error).message.replace(/\s+/g, ' ');
    throw new AppLoadError(`app: ${given} failed to load: ${reason}`, { cause: error });
  }
}

/** @throws what the module throws */
export async function importModule(path: string): Promise<Record<string, unknown>> {
  if (/ts$/.test(path)) return await importTypeScript(path);
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    // JavaScript that imports TypeScript, on a Node that cannot. And Node does not say where a syntax error is.
    const isUnplaced = error instanceof SyntaxError && !error.stack?.includes('file:');
    if (!isUnplaced && (error as NodeJS.ErrnoException | undefined)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    return await importTypeScript(path);
  }
}

async function importTypeScript(path: string): Promise<Record<string, unknown>> {
  // Not by import(): for a CommonJS package that takes half as long again, looking for its exports.
  const { createJiti } = createRequire(import.meta.url)('jiti') as typeof import('jiti');
  const jiti = createJiti(pathToFileURL(path).href, { interopDefault: false, fsCache: cacheDirectory() });
  return jiti.import<Record<string, unknown>>(path);
}

/** Compiled apps are kept in the user's own cache, or not at all: in a shared /tmp, others could put code there. */
function cacheDirectory(): string | false {
  try {
    return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tsgun');
  } catch {
    // A user without a home.
    return false;
  }
}

function pickExport(exports: Record<string, unknown>, { path, exportName }: AppReference): unknown {
  // `export =`, and what jiti makes of module.exports: the module is the export.
  if (typeof exports === 'function' && exportName === undefined) return exports;
  const inner = exports.default;
  const names = Object.keys(exports).filter((name) => name !== 'module.exports' && name !== '__esModule');
  const available = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  if (exportName === undefined) {
    const value = inner === undefined ? exports.app : unwrap(inner);
    if (value !== undefined) return value;
    throw new AppLoadError(`app: ${path} has no default export and none named app (${available}); say ${path}:NAME`);
  }
  if (Object.hasOwn(exports, exportName)) return exports[exportName];
  if (typeof inner === 'object' && inner !== null && exportName in inner) return Reflect.get(inner, exportName);
  throw new AppLoadError(`app: ${path} has no export ${exportName} (${available})`);
}

/** CommonJS through import(): module.exports is the default export, and what it exports is one level down. */
function unwrap(inner: unknown): unknown {
  if (typeof inner !== 'object' || inner === null) return inner;
  if ('default' in inner) return inner.default;
  return 'app' in inner && typeof inner.app === 'function' ? inner.app : inner;
}

async function callFactory(factory: unknown, { path, exportName }: AppReference): Promise<unknown> {
  if (typeof factory !== 'function')
    throw new AppLoadError(`app: ${path}:${exportName}() calls a factory, but the export is ${describe(factory)}`);
  try {
    return await settleable(factory());
  } catch (error) {
    throw new AppLoadError(`app: ${path}:${exportName}() failed: ${report(error).message}`, { cause: error });
  }
}
