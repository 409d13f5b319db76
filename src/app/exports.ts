/** Finds an app among the exports of a module. */

import { type AppReference, readArguments } from '../app-reference.ts';
import { AppLoadError, describe, report } from '../errors.ts';

export interface Picked {
  readonly value?: unknown;
  /** Why nothing was found, if no export was named. */
  readonly problem?: string;
}

/** @throws AppLoadError if the module has no export of that name */
export function pickExport(exports: Record<string, unknown>, { path, exportName }: AppReference): Picked {
  const inner = isEmpty(exports.default) ? undefined : exports.default;
  const names = Object.keys(exports).filter((name) => !unnamed.includes(name) && (name !== 'default' || inner));
  const available = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  if (exportName === undefined) {
    const value = inner === undefined ? exports.app : unwrap(inner);
    if (value !== undefined) return { value };
    if (names.length === 0) return { problem: `${path} exports nothing` };
    const remedy = `name the app's, as in ${path}:${names[0]}`;
    return { problem: `${path} has no default export and none named app (${available}); ${remedy}` };
  }
  if (Object.hasOwn(exports, exportName)) return { value: exports[exportName] };
  if (Object(inner) === inner && exportName in Object(inner)) return { value: Reflect.get(Object(inner), exportName) };
  throw new AppLoadError(`app: ${path} has no export ${exportName} (${available})`);
}

/** These are not the program's own exports. */
const unnamed = ['module.exports', '__esModule'];

/** `module.exports` of a CommonJS module that exports nothing. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0;
}

/** `import()` of a CommonJS module: `module.exports` is the default export, and its members are one level down. */
function unwrap(inner: unknown): unknown {
  if (typeof inner !== 'object' || inner === null) return inner;
  // Compiled code may name a default export that it never sets.
  if ('default' in inner && !(inner.default === undefined && 'app' in inner)) return inner.default;
  return 'app' in inner && typeof inner.app === 'function' ? inner.app : inner;
}

/**
 * Some routers take any property name for a method, `then` too. To await such a router would never end, so only its `fetch` is
 * passed on.
 */
export function settleable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Promise) return value;
  const { then, fetch } = value as { then?: unknown; fetch?: unknown };
  if (typeof then !== 'function' || typeof fetch !== 'function') return value;
  return { fetch: (...args: unknown[]) => Reflect.apply(fetch, value, args) };
}

/** @throws AppLoadError if it is no function, its arguments are not JSON, or it fails */
export async function callFactory(
  factory: unknown,
  { path, exportName, factoryArguments }: AppReference,
): Promise<unknown> {
  const call = `${path}:${exportName}(${factoryArguments})`;
  if (typeof factory !== 'function')
    throw new AppLoadError(`app: ${call} calls a factory, but the export is ${describe(factory)}`);
  const given = readArguments(factoryArguments ?? '');
  if (given === undefined)
    throw new AppLoadError(`app: ${call}: arguments are JSON, as in create("blue", 3, {"debug": true})`);
  try {
    return await settleable(factory(...given));
  } catch (error) {
    throw new AppLoadError(`app: ${call} failed: ${report(error).message}`, { cause: error });
  }
}
