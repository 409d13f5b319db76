/**
 * `require` of a module that awaits something is refused by Node. Where a compiled file asks for one by `import`, that module
 * is imported first, and the file is given it when it is loaded once more: nothing of it has run, as imports come first.
 */

import type { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findSource } from './resolve.ts';

const byPath = new Map<string, unknown>();
let lastRequired: string | undefined;

export function noteRequired(url: string): void {
  lastRequired = url;
}

/** @param error what `require` threw @returns whether to try again */
export async function preload(error: unknown): Promise<boolean> {
  if (Object(error).code !== 'ERR_REQUIRE_ASYNC_MODULE' || lastRequired === undefined) return false;
  const url = lastRequired.startsWith('/') ? pathToFileURL(lastRequired).href : lastRequired;
  if (!url.startsWith('file:') || byPath.has(fileURLToPath(url))) return false;
  byPath.set(fileURLToPath(url), await import(url));
  return true;
}

const key = Symbol.for('tsgun.require');

export function withPreloaded(code: string): string {
  if (byPath.size === 0) return code;
  Reflect.set(globalThis, key, requirePreloaded);
  const begin = /^(?:["']use strict["'];)?/.exec(code)![0];
  return `${begin}require=globalThis[Symbol.for("${key.description}")](require,__filename);${code.slice(begin.length)}`;
}

type Require = ReturnType<typeof createRequire>;

function requirePreloaded(require: Require, parent: string): Require {
  // Not all versions of Node ask the hooks where `require.resolve` leads.
  const own = (specifier: string) =>
    byPath.get(findSource(specifier, parent) ?? resolved(specifier)) ?? require(specifier);
  const resolved = (specifier: string) => {
    try {
      return require.resolve(specifier);
    } catch {
      return '';
    }
  };
  return Object.assign(own, require);
}
