/**
 * How tsgun takes part in what Node does with modules. `module.registerHooks` is documented; before it (22.15), the CommonJS
 * loader is changed in place, as `require.extensions` was made for, and ES modules need a thread of their own, which costs
 * each process start-up time and memory. So that thread starts only if it must.
 */

import Module from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { noteModule, watchImport } from './loaded-modules.ts';

export interface FoundModule {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
}

export interface ReadModule {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: true;
}

export interface ModuleContext {
  /** A Set in the first versions. */
  readonly conditions?: Iterable<string>;
  readonly parentURL?: string | undefined;
  readonly importAttributes?: Readonly<Record<string, string>>;
}

/** Both may return undefined: then Node decides. */
export interface ModuleHooks {
  /** @param ask returns Node's own answer */
  resolve(specifier: string, context: ModuleContext, ask: () => FoundModule): FoundModule;
  load(url: string, context: ModuleContext): ReadModule | undefined;
}

type Next<R> = (what: string, context: ModuleContext) => R;
interface SyncHooks {
  resolve(specifier: string, context: ModuleContext, next: Next<FoundModule>): FoundModule;
  load(url: string, context: ModuleContext, next: Next<unknown>): unknown;
}
interface CommonJsModule {
  readonly filename: string | null;
  _compile(code: string, path: string, format: string): void;
}
type Resolve = (request: string, parent: CommonJsModule | undefined, isMain: boolean, options: unknown) => string;

const internals = Module as unknown as {
  registerHooks?(hooks: SyncHooks): unknown;
  register(url: string): void;
  _extensions: Record<string, (module: CommonJsModule, path: string) => void>;
  _resolveFilename: Resolve;
  _cache: Record<string, unknown>;
};

/** Whether this Node asks for both kinds of modules, in this thread. */
export const hasModuleHooks = typeof internals.registerHooks === 'function';

export function registerModuleHooks({ resolve, load }: ModuleHooks): void {
  internals.registerHooks!({
    resolve: (specifier, context, next) => resolve(specifier, context, () => next(specifier, context)),
    load: (url, context, next) => {
      noteModule(url);
      return load(url, context) ?? next(url, context);
    },
  });
}

/** For Node before 22.15: of `require`, for files with these extensions. */
export function patchRequire({ resolve, load }: ModuleHooks, extensions: readonly string[]): void {
  const conditions = ['node', 'require'];
  const original = internals._resolveFilename;
  internals._resolveFilename = function (this: unknown, request, parent, isMain, options) {
    const context = { conditions, parentURL: parent?.filename ? pathToFileURL(parent.filename).href : undefined };
    const { url } = resolve(request, context, () => ({
      url: original.call(this, request, parent, isMain, options),
    }));
    return url.startsWith('file:') ? fileURLToPath(url) : url;
  };
  for (const extension of extensions) {
    const before = internals._extensions[extension];
    internals._extensions[extension] = (module, path) => {
      const { href } = pathToFileURL(path);
      noteModule(href);
      const read = load(href, { conditions });
      if (read !== undefined) module._compile(read.source, path, read.format);
      else (before ?? internals._extensions['.js']!)(module, path);
    };
  }
}

/** For Node before 22.15: of `import`, in a thread that runs the file `url`. */
export function startHookThread(url: string): void {
  internals.register(url);
  watchImport();
}

/** The CommonJS modules that are loaded, by path. */
export function requireCache(): Record<string, unknown> {
  return internals._cache;
}
