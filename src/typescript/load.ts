/**
 * Loads a program or a configuration that is TypeScript, or imports some. Node's own loader does it, with our hooks: there is
 * one of each module, whoever imports it.
 */

import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { requireAsMain } from '../node/main-module.ts';
import {
  hasModuleHooks,
  patchRequire,
  registerModuleHooks,
  requireCache,
  startHookThread,
} from '../node/module-hooks.ts';
import { openDynamicImport } from './dynamic-import.ts';
import { compiledExtensions, isCompiled, isInstalled, isModule, packageTypeOf } from './files.ts';
import { mainKey } from './fit.ts';
import { againUrl, compileJavaScript, moduleHooks } from './hooks.ts';
import {
  checkSyntax,
  compiledModule,
  forceFormat,
  forgetModules,
  treatUndeclaredAs,
  usesTopLevelAwait,
} from './modules.ts';
import { forgetProjects } from './options.ts';
import { preload } from './preloaded.ts';
import { findSource } from './resolve.ts';

type Exports = Record<string, unknown>;

/** For a process whose threads will compile, or that will become another user. */
export { loadCompiler, loadCompilerForOthers } from './compile.ts';

let areHooksOn = false;

function openHooks(): void {
  if (areHooksOn) return;
  areHooksOn = true;
  if (hasModuleHooks) return registerModuleHooks(moduleHooks);
  // This thread has only `require`: ES modules are compiled to CommonJS too.
  forceFormat('commonjs');
  openDynamicImport(openHookThread);
  patchRequire(moduleHooks, [...compiledExtensions, '.js', '.mjs', '.cjs']);
}

let hasHookThread = false;

function openHookThread(): void {
  if (hasModuleHooks || hasHookThread) return;
  hasHookThread = true;
  forceFormat(undefined);
  // Its place relative to this file is the same in src and in dist.
  startHookThread(new URL(`../typescript/hook-thread${import.meta.url.slice(-3)}`, import.meta.url).href);
}

/** @param isMain whether it is what the process is for */
export async function importCompiled(path: string, isMain: boolean): Promise<Exports> {
  openHooks();
  if (isMain) Reflect.set(globalThis, mainKey, realpathSync(path));
  try {
    const mayAwait = !hasModuleHooks || (packageTypeOf(path) === 'undeclared' && !/\.[cm]ts$/.test(path));
    if (mayAwait && usesTopLevelAwait(path)) {
      treatUndeclaredAs('module');
      openHookThread();
    }
    if (compiledModule(path).format === 'commonjs') return await requireCompiled(path, isMain);
    return await importAsWritten(path, isMain);
  } finally {
    forgetModules();
  }
}

/**
 * Loads JavaScript that failed once more, if it imports TypeScript that this Node cannot load.
 * @throws the error with its place: Node does not give the place of a syntax error
 */
export async function importAgain(path: string, isMain: boolean, error: unknown): Promise<Exports> {
  const isTypeScript = isUnplaced(error) ? checkSyntax(path) : meetsTypeScript(error);
  if (!isTypeScript) throw error;
  openHooks();
  if (!isModule(path) && !/^[ \t]*(?:import|export)\b/m.test(readFileSync(path, 'utf8')))
    return requireCompiled(path, isMain);
  openHookThread();
  // Before Node 24, the cache keeps a module that failed.
  return importAsWritten(path, isMain).catch(() => import(againUrl(path)));
}

function isUnplaced(error: unknown): boolean {
  const { code, stack } = Object(error) as { code?: string; stack?: string };
  return error instanceof SyntaxError && code === undefined && stack?.includes('file:') !== true;
}

const typeScriptFile = /\.(?:[cm]?ts|[tj]sx)\b/;

/** Whether an import, which may lack its extension, leads to a file that was not compiled. */
function meetsTypeScript(error: unknown): boolean {
  const { code, message, url, stack } = { code: '', message: '', url: '', stack: '', ...describe(error) };
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX') return true;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return typeScriptFile.test(message);
  if (error instanceof SyntaxError) return typeScriptFile.test(stack.split('\n', 1)[0]!);
  const required = /^Cannot find module '(.+)'\nRequire stack:\n- (.+)/.exec(message);
  const [specifier, parent] =
    required !== null ? required.slice(1) : url.startsWith('file:') ? [url, fileURLToPath(url)] : [];
  if (specifier === undefined || parent === undefined) return false;
  const found = findSource(specifier, parent);
  return found !== undefined && isCompiled(found);
}

function describe(error: unknown): { code?: string; message?: string; url?: string; stack?: string } {
  const { code, message, url, stack } = Object(error) as Record<string, string>;
  return Object.fromEntries(Object.entries({ code, message, url, stack }).filter(([, value]) => value !== undefined));
}

async function importAsWritten(path: string, isMain: boolean): Promise<Exports> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    // An import that is only a type, which a build would have dropped. Nothing has run yet.
    if (!(error instanceof SyntaxError) || !/does not provide an export named/.test(error.message)) throw error;
    forceFormat('commonjs');
    return requireCompiled(path, isMain);
  }
}

async function requireCompiled(path: string, isMain: boolean): Promise<Exports> {
  for (;;) {
    try {
      return namespaceOf(isMain ? requireAsMain(path) : createRequire(path)(path));
    } catch (error) {
      if (!(await preload(error))) throw error;
    }
  }
}

/** As `import` shows a CommonJS module that was not written as an ES module. */
function namespaceOf(exports: unknown): Exports {
  const isNamespace = typeof exports === 'object' && exports !== null && Reflect.get(exports, '__esModule') === true;
  return isNamespace ? (exports as Exports) : { default: exports };
}

/** Past the module caches, in all that it imports of its own: a reload must see the files as they are now. */
export async function importFresh(path: string): Promise<Exports> {
  openHooks();
  const cache = requireCache();
  const before = new Set(Object.keys(cache));
  if (!hasModuleHooks) compileJavaScript(true);
  try {
    if (!hasModuleHooks && usesTopLevelAwait(path, true)) openHookThread();
    else if (!hasModuleHooks || (isCompiled(path) && compiledModule(path).format === 'commonjs'))
      return await requireCompiled(path, false);
    return await import(againUrl(path));
  } catch (error) {
    if (isUnplaced(error)) checkSyntax(path);
    throw error;
  } finally {
    compileJavaScript(false);
    for (const loaded of Object.keys(cache)) if (!before.has(loaded) && !isInstalled(loaded)) delete cache[loaded];
    forgetModules();
    forgetProjects();
  }
}
