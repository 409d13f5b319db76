/** What Node asks where it is about to find or read a module: https://nodejs.org/api/module.html#customization-hooks */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FoundModule, ModuleContext, ModuleHooks, ReadModule } from '../node/module-hooks.ts';
import { isCompiled, isInstalled } from './files.ts';
import { compiledAs, compiledModule, facadeOf } from './modules.ts';
import { noteRequired, withPreloaded } from './preloaded.ts';
import { findSource } from './resolve.ts';

/** In the address of a module that is loaded once more, and of all that it imports: Node keeps what it once loaded. */
const againPattern = /\?again=[\d.]+$/;

export function againUrl(path: string): string {
  return `${pathToFileURL(path).href}?again=${performance.now()}`;
}

/** In a thread of its own, where Node asks by promises, these come before and after what it finds; see `hook-thread.ts`. */
export const moduleHooks: ModuleHooks = {
  resolve(specifier, context, ask) {
    const found = resolveFirst(specifier, context) ?? orElse(ask, (error) => resolveLast(specifier, context, error));
    if (isRequired(context)) noteRequired(found.url);
    return carryOn(found, context);
  },
  load,
};

function orElse(ask: () => FoundModule, otherwise: (error: unknown) => FoundModule | undefined): FoundModule {
  try {
    return ask();
  } catch (error) {
    const found = otherwise(error);
    if (found === undefined) throw error;
    return found;
  }
}

export function resolveFirst(specifier: string, { parentURL }: ModuleContext): FoundModule | undefined {
  const parent = filePath(parentURL);
  if (parent === undefined || !isCompiled(parent)) return undefined;
  return resolved(findSource(specifier, parent));
}

export function resolveLast(specifier: string, context: ModuleContext, error: unknown): FoundModule | undefined {
  const parent = filePath(context.parentURL);
  if (parent === undefined || !isMissing(error)) return undefined;
  const found = findSource(specifier, parent) ?? findUnbuilt(error, parent) ?? findOwn(specifier);
  if (found !== undefined) return resolved(found);
  if (isInstalled(parent) || isRequired(context)) return undefined;
  // A file of a package, as `require` finds it.
  try {
    return resolved(createRequire(parent).resolve(specifier));
  } catch {
    return undefined;
  }
}

/** What `imports` or `exports` of a package.json name as it is after a build. */
function findUnbuilt(error: unknown, parent: string): string | undefined {
  const { url, message } = error as { url?: string; message: string };
  const missing = filePath(url) ?? /^Cannot find module '(\/.*?)'/.exec(message)?.[1];
  return missing === undefined || missing === parent ? undefined : findSource(missing, parent);
}

/** A project that is served by a global installation may import tsgun too, for `defineConfig` or `run`. */
function findOwn(specifier: string): string | undefined {
  const name = specifier === 'tsgun' ? 'index' : specifier === 'tsgun/validate' ? 'validate' : undefined;
  return name && fileURLToPath(new URL(`../${name}${import.meta.url.slice(-3)}`, import.meta.url));
}

function resolved(path: string | undefined): FoundModule | undefined {
  return path === undefined ? undefined : { url: pathToFileURL(path).href, shortCircuit: true };
}

/** A module that is loaded again takes what it imports along, as far as it is the program's own. */
export function carryOn(found: FoundModule, context: ModuleContext): FoundModule {
  const mark = againPattern.exec(context.parentURL ?? '')?.[0];
  if (mark === undefined || isRequired(context) || found.url.includes('?')) return found;
  const path = filePath(found.url);
  return path === undefined || isInstalled(path) ? found : { ...found, url: found.url + mark };
}

let compilesJavaScript = false;

/** Whether JavaScript too becomes CommonJS: that of a configuration, which is to be read anew each time. */
export function compileJavaScript(isOn: boolean): void {
  compilesJavaScript = isOn;
}

export function load(url: string, context: ModuleContext): ReadModule | undefined {
  const path = filePath(url);
  if (path === undefined) return undefined;
  if (isCompiled(path)) return loadCompiled(path, context);
  if (isInstalled(path)) return undefined;
  if (compilesJavaScript && /\.[cm]?js$/.test(path))
    return { format: 'commonjs', source: compiledAs(path, 'commonjs').code, shortCircuit: true };
  if (isRequired(context)) return undefined;
  if (path.endsWith('.json') && context.importAttributes?.type === undefined)
    return { format: 'module', source: jsonModule(readFileSync(path, 'utf8'), path), shortCircuit: true };
  return undefined;
}

function loadCompiled(path: string, context: ModuleContext): ReadModule {
  const compiled = compiledModule(path);
  const { format, code } = compiled;
  if (format === 'module') return { format, source: code, shortCircuit: true };
  return isRequired(context)
    ? { format, source: withPreloaded(code), shortCircuit: true }
    : { format: 'module', source: facadeOf(path, compiled), shortCircuit: true };
}

/** An import of JSON as bundlers take it: without an attribute, and with the names at its top. */
function jsonModule(text: string, path: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new SyntaxError(`${(error as Error).message} (${path})`);
  }
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const named = names.filter((name) => name !== 'default' && !/[\ud800-\udfff]/u.test(name));
  return [
    `const __json=JSON.parse(${JSON.stringify(JSON.stringify(value))});export default __json;`,
    ...named.map((name, index) => {
      const key = JSON.stringify(name);
      return `const __${index}=__json[${key}];export{__${index} as ${key}};`;
    }),
  ].join('');
}

function filePath(url: string | undefined): string | undefined {
  return url?.startsWith('file:') ? fileURLToPath(url) : undefined;
}

function isRequired({ conditions = [] }: ModuleContext): boolean {
  return [...conditions].includes('require');
}

function isMissing(error: unknown): boolean {
  const { code } = Object(error) as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || code === 'ERR_UNSUPPORTED_DIR_IMPORT';
}
