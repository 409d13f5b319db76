/**
 * Loads an app from `path[:export]`. Node itself loads JavaScript, and TypeScript with our hooks (`typescript/`), which need no
 * build step and no flag.
 */

import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseReference } from '../app-reference.ts';
import { AppLoadError, describe, ownFilesError, report } from '../errors.ts';
import { noteMainError, runAsMain } from '../node/main-module.ts';
import { isCompiled, isModule } from '../typescript/files.ts';
import { callFactory, pickExport, settleable } from './exports.ts';

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.tsx', '.jsx'];

/**
 * @param isMain whether the app's file is the main module of this process or thread, as under `node FILE`
 * @throws AppLoadError that says what is wrong and what would be right; the app's own error is its `cause`
 */
export async function loadApp(text: string, isMain = false): Promise<unknown> {
  const { exported, problem } = await loadModule(text, isMain);
  if (problem !== undefined) throw new AppLoadError(`app: ${problem}`);
  return exported;
}

export interface LoadedModule {
  /** The app that it exports, found by name; or a factory's result. */
  readonly exported: unknown;
  /** Why it exports no app, if no export was named. */
  readonly problem: string | undefined;
  /** Whether the file's text contains a call of `listen`. */
  readonly mentionsListen: boolean;
}

/** @throws AppLoadError, if the export that is named is not there too */
export async function loadModule(text: string, isMain: boolean): Promise<LoadedModule> {
  const reference = parseReference(text);
  const named = resolve(reference.path);
  const path = findFile(named);
  await checkFile(path, reference.path);
  if (isMain) process.argv[1] = named;
  const exports = await importApp(path, reference.path, isMain);
  const { value, problem } = pickExport(exports, reference);
  const mentionsListen = /\.\s*listen\s*\(|\bserve\s*\(/.test(await readFile(path, 'utf8'));
  const exported = await (reference.factoryArguments !== undefined ? callFactory(value, reference) : settleable(value));
  return { exported, problem, mentionsListen };
}

/**
 * Finds the file as `node PATH` does: `dist/main` may be `dist/main.js`; a folder may stand for its index file, or for what its
 * package.json names.
 */
function findFile(path: string): string {
  if (extensions.includes(extname(path))) return path;
  try {
    return createRequire(path).resolve(path);
  } catch {
    return path;
  }
}

async function checkFile(path: string, given: string): Promise<void> {
  // Node runs a file without an extension, such as `bin/www`, as JavaScript.
  const extension = extname(basename(path));
  if (extension !== '' && !extensions.includes(extension))
    throw new AppLoadError(`app: ${describe(given)} is not one of ${extensions.join(' ')} files`);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') return undefined;
    const user = `user ${process.geteuid?.()}`;
    throw new AppLoadError(`app: ${describe(given)} is in a folder that ${user} may not enter (looked for ${path})`);
  });
  if (found === undefined) throw new AppLoadError(`app: no file ${describe(given)} (looked for ${path})`);
  if (found.isDirectory())
    throw new AppLoadError(
      `app: ${describe(given)} is a folder with neither an index.js nor a "main" in its package.json`,
    );
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
 * Loads the code that will load a TypeScript app, before the process gives up its rights and while tsgun's files are there.
 * @param isForOthers whether this process is about to become another user
 * @param isForThreads whether threads load the app instead of this one
 */
export async function loadLoader(app: string, isForOthers: boolean, isForThreads: boolean): Promise<void> {
  if (!isCompiled(findFile(resolve(parseReference(app).path)))) {
    // JavaScript may import TypeScript later.
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

/** @param isMain whether it is the main module of the process or thread @throws what the module throws */
export async function importModule(path: string, isMain: boolean): Promise<Record<string, unknown>> {
  if (isCompiled(path)) return (await loadTypeScript()).importCompiled(path, isMain);
  try {
    if (isMain) runAsMain(isModule(path));
    // The module is loaded once: this import joins the other, or begins it.
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
