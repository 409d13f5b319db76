/** `path[:export]`, and what a module exports by it. */

import { AppLoadError, describe, report } from '../errors.ts';

export interface AppReference {
  readonly path: string;
  /** Undefined: the default export, else the one named `app`. */
  readonly exportName: string | undefined;
  /** `:create()`: the export is a factory. */
  readonly isFactory: boolean;
}

const referenceForm = /^(.*?)(?::([A-Za-z_$][\w$]*)(\(\))?)?$/s;

/** Pure. The path may hold colons; only a last one with a name after it begins an export. */
export function parseReference(text: string): AppReference {
  const [, path = '', exportName, call] = referenceForm.exec(text) ?? [];
  return { path, exportName, isFactory: call !== undefined };
}

export interface Picked {
  readonly value?: unknown;
  /** Why there is none, where none was named. */
  readonly problem?: string;
}

/** @throws AppLoadError where the export that was named is not there */
export function pickExport(exports: Record<string, unknown>, { path, exportName }: AppReference): Picked {
  const inner = isEmpty(exports.default) ? undefined : exports.default;
  const names = Object.keys(exports).filter((name) => !unnamed.includes(name) && (name !== 'default' || inner));
  const available = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  if (exportName === undefined) {
    const value = inner === undefined ? exports.app : unwrap(inner);
    if (value !== undefined) return { value };
    return { problem: `${path} has no default export and none named app (${available}); say ${path}:NAME` };
  }
  if (Object.hasOwn(exports, exportName)) return { value: exports[exportName] };
  if (Object(inner) === inner && exportName in Object(inner)) return { value: Reflect.get(Object(inner), exportName) };
  throw new AppLoadError(`app: ${path} has no export ${exportName} (${available})`);
}

/** Not exports of the program's own. */
const unnamed = ['module.exports', '__esModule'];

/** `module.exports` of a CommonJS module that exports nothing. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0;
}

/** CommonJS through import(): module.exports is the default export, and what it exports is one level down. */
function unwrap(inner: unknown): unknown {
  if (typeof inner !== 'object' || inner === null) return inner;
  if ('default' in inner) return inner.default;
  return 'app' in inner && typeof inner.app === 'function' ? inner.app : inner;
}

/** A router that takes any name for a method's, `then` too, would be waited for without an end: only its `fetch` is passed on. */
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
