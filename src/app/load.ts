/**
 * `path[:export]` to an app. JavaScript is loaded by Node itself, TypeScript by Node with our hooks (`typescript/`), which
 * need no build step and no flag.
 */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppLoadError, describe, ownFilesError, report } from '../errors.ts';
import { noteMainError, runAsMain } from '../node/main-module.ts';
import { isCompiled, isModule } from '../typescript/files.ts';

export interface AppReference {
  readonly path: string;
  /** Undefined: the default export, else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create()`: the export is a factory. */
  readonly isFactory: boolean;
}

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.tsx', '.jsx'];
const referenceForm = /^(.*?)(?::([A-Za-z_$][\w$]*)(\(\))?)?$/s;

/** Pure. The path may hold colons; only a last one with a name after it begins an export. */
export function parseReference(text: string): AppReference {
  const [, path = '', exportName, call] = referenceForm.exec(text) ?? [];
  return { path, exportName, isFactory: call !== undefined };
}

/**
 * @param isMain whether the app's file is what this process, or this thread, is for, as under `node FILE`
 * @throws AppLoadError that says what is wrong and what would be right; the app's own error is its `cause`
 */
export async function loadApp(text: string, isMain = false): Promise<unknown> {
  const reference = parseReference(text);
  const path = resolve(reference.path);
  await checkFile(path, reference.path);
  if (isMain) process.argv[1] = path;
  const exports = await importApp(path, reference.path, isMain);
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

async function importApp(path: string, given: string, isMain: boolean): Promise<Record<string, unknown>> {
  try {
    return await importModule(path, isMain);
  } catch (error) {
    const reason = report(error).message.replace(/\s+/g, ' ');
    throw new AppLoadError(`app: ${given} failed to load: ${reason}`, { cause: error });
  }
}

/**
 * Loads what will load the app, where that is TypeScript: before rights are given up and while tsgun's files are there.
 * @param isForOthers whether this process is about to become another user
 * @param isForThreads whether threads will load the app, and not this one
 */
export async function loadLoader(app: string, isForOthers: boolean, isForThreads: boolean): Promise<void> {
  if (!isCompiled(parseReference(app).path)) {
    // JavaScript may import TypeScript, now or later.
    if (isForThreads) (await import('../typescript/compiler-owner.ts')).ownCompiler(loadCompilerLate);
    return;
  }
  const { loadCompiler, loadCompilerForOthers } = await import('../typescript/load.ts');
  if (isForThreads) loadCompiler();
  else if (isForOthers) loadCompilerForOthers();
}

async function loadCompilerLate(): Promise<void> {
  (await import('../typescript/load.ts')).loadCompiler();
}

/** @param isMain whether it is what the process, or the thread, is for @throws what the module throws */
export async function importModule(path: string, isMain: boolean): Promise<Record<string, unknown>> {
  if (isCompiled(path)) return (await loadTypeScript()).importCompiled(path, isMain);
  try {
    if (isMain) runAsMain(isModule(path));
    // The same module, which has begun or begins here.
    return await import(pathToFileURL(path).href);
  } catch (error) {
    noteMainError(error);
    const typeScript = await loadTypeScript().catch(() => Promise.reject(error));
    return typeScript.importAgain(path, isMain, error);
  }
}

async function loadTypeScript() {
  try {
    return await import('../typescript/load.ts');
  } catch (error) {
    throw ownFilesError(error);
  }
}

function pickExport(exports: Record<string, unknown>, { path, exportName }: AppReference): unknown {
  const inner = exports.default;
  const names = Object.keys(exports).filter((name) => name !== 'module.exports' && name !== '__esModule');
  const available = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  if (exportName === undefined) {
    const value = inner === undefined ? exports.app : unwrap(inner);
    if (value !== undefined) return value;
    throw new AppLoadError(`app: ${path} has no default export and none named app (${available}); say ${path}:NAME`);
  }
  if (Object.hasOwn(exports, exportName)) return exports[exportName];
  if (Object(inner) === inner && exportName in Object(inner)) return Reflect.get(Object(inner), exportName);
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
