/** `import()` in CommonJS code, where Node would not ask us what it leads to: before 22.15. */

import { pathToFileURL } from 'node:url';
import { isCompiled } from './files.ts';

type NativeImport = (specifier: string, options?: unknown) => Promise<unknown>;
type OwnImport = (require: NodeJS.Require, native: NativeImport) => NativeImport;

const key = Symbol.for('tsgun.import');

/** For compiled code: declares what takes the place of `import`. */
export const ownImport = {
  name: '__import',
  prelude: `const __import=globalThis[Symbol.for("${key.description}")](require,(to,options)=>import(to,options));`,
};

/** @param onAwait makes Node's own import know what it asks for, where a module awaits outside of functions */
export function openDynamicImport(onAwait: () => void): void {
  const own: OwnImport = (require, native) => async (specifier, options) => {
    const path = resolve(String(specifier), require);
    if (path === undefined) return native(specifier, options);
    const href = pathToFileURL(path).href;
    if (!isCompiled(path) && !(path.endsWith('.json') && options === undefined)) return native(href, options);
    try {
      return namespaceOf(require(path));
    } catch (error) {
      if (Object(error).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
      onAwait();
      return native(href, options);
    }
  };
  Reflect.set(globalThis, key, own);
}

/** The file that is meant; undefined for a package, and for what Node is to refuse. */
function resolve(specifier: string, require: NodeJS.Require): string | undefined {
  try {
    const path = require.resolve(specifier);
    return path.startsWith('/') && (isCompiled(path) || /^\.{0,2}\//.test(specifier)) ? path : undefined;
  } catch {
    return undefined;
  }
}

function namespaceOf(exports: unknown): unknown {
  if (Object(exports).__esModule === true) return exports;
  return { ...(typeof exports === 'object' ? exports : {}), default: exports };
}
