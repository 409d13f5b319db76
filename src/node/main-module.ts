/** The module that a process, or a thread, is for (`Module.runMain`, `Module._load`), and the errors that it ends with. */

import Module, { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { internalsAreOff } from './switch.ts';

const internals = Module as unknown as {
  runMain?(): void;
  _load?(path: string, parent: null, isMain: boolean): unknown;
};

/** Older versions do not know a main ES module, and would load it twice if it fails. */
const knowsMainModules = Reflect.get(import.meta, 'main') !== undefined;

/**
 * Runs the file that `process.argv[1]` names as the main module, as Node would have: `require.main` is it, or
 * `import.meta.main` is true in it. Who imports it then gets the same module.
 */
export function runAsMain(isModule: boolean): void {
  if (!internalsAreOff && (knowsMainModules || !isModule)) internals.runMain?.();
}

/** Loads a CommonJS module as the main one. @returns what it exports */
export function requireAsMain(path: string): unknown {
  if (internalsAreOff || internals._load === undefined) return createRequire(path)(path);
  return internals._load(path, null, true);
}

const mainErrors: { readonly error: unknown; readonly text: string }[] = [];

/** An error of a main module that its importer has caught: Node also reports it as uncaught. */
export function noteMainError(error: unknown): void {
  mainErrors.push({ error, text: textOf(error) });
}

/** Turns of the loop after which the importer has surely received the error. */
const lateTurns = 50;

/** Of an uncaught exception. @param origin as Node says it */
export async function isMainError(error: unknown, origin: string): Promise<boolean> {
  if (origin !== 'unhandledRejection') return false;
  const text = textOf(error);
  // Node may have wrapped the same cause in another error.
  const isNoted = () => mainErrors.some((each) => each.error === error || (text !== '' && each.text === text));
  for (let turn = 0; turn < lateTurns && !isNoted(); turn++) await setImmediate();
  return isNoted();
}

/** Empty if it cannot be read. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : '';
  } catch {
    return '';
  }
}
