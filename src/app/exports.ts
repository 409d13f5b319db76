/** Reads `path[:export]`, and finds that export in a module. */

import { AppLoadError, describe, report } from '../errors.ts';

export interface AppReference {
  readonly path: string;
  /** If undefined: the default export, or else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create()`: the export is a factory. */
  readonly isFactory: boolean;
}

const referenceForm = /^(.*?)(?::([A-Za-z_$][\w$]*)(\(\))?)?$/s;

/** The path may contain colons: only a last one that a name follows begins an export. */
export function parseReference(text: string): AppReference {
  const [, path = '', exportName, call] = referenceForm.exec(text) ?? [];
  return { path, exportName, isFactory: call !== undefined };
}

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

export async function callFactory(factory: unknown, { path, exportName }: AppReference): Promise<unknown> {
  if (typeof factory !== 'function')
    throw new AppLoadError(`app: ${path}:${exportName}() calls a factory, but the export is ${describe(factory)}`);
  try {
    return await settleable(factory());
  } catch (error) {
    throw new AppLoadError(`app: ${path}:${exportName}() failed: ${report(error).message}`, { cause: error });
  }
}
