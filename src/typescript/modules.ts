/**
 * Which kind of module each compiled file is, and its code. As TypeScript has it: an ES module where the extension or the
 * package says so, else CommonJS, with imports turned into `require`. Cycles, names that are only types, and tracers that
 * watch `require` then work as they do after a build.
 */

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { noteModule } from '../node/loaded-modules.ts';
import { compileCached } from './cache.ts';
import type { Compiled, Format } from './compile.ts';
import { isCompiled, isInstalled, packageTypeOf } from './files.ts';
import { projectOf } from './options.ts';
import { findSource } from './resolve.ts';

/** Set where undeclared files are ES modules too, as one of them awaits something outside of functions. */
let undeclared: Format = 'commonjs';
/** Set where all are to be of one kind. */
let forced: Format | undefined;

export function treatUndeclaredAs(format: Format): void {
  undeclared = format;
}

export function forceFormat(format: Format | undefined): void {
  forced = format;
}

/** What a file is by its name and its package. */
function formatOf(path: string): Format {
  const extension = extname(path);
  if (forced !== undefined) return forced;
  if (extension === '.mts') return 'module';
  if (extension === '.cts') return 'commonjs';
  const type = packageTypeOf(path);
  return type === 'undeclared' ? undeclared : type;
}

/** What was compiled while the program loads; an import is looked at more than once. */
const recent = new Map<string, Compiled>();

/** As what it is, or as an ES module after all where it cannot be another. @throws SyntaxError, or the system's error */
export function compiledModule(path: string): Compiled {
  const compiled = compiledAs(path, formatOf(path));
  return compiled.isAsync ? compiledAs(path, 'module') : compiled;
}

export function compiledAs(path: string, format: Format): Compiled {
  const key = `${format} ${path}`;
  const known = recent.get(key);
  if (known !== undefined) return known;
  // Also one that is only looked at, and does not compile: then nothing that imports it is loaded.
  noteModule(pathToFileURL(path).href);
  const compiled = compileCached(readFileSync(path, 'utf8'), path, format, projectOf(path).options);
  recent.set(key, compiled);
  return compiled;
}

/** Drops the compiled code: sources change, and their text need not be kept. */
export function forgetModules(): void {
  recent.clear();
}

/**
 * Whether the file, or one that it imports, awaits something outside of functions.
 * @param mayBeJavaScript whether JavaScript is looked at too, as it is compiled with the rest
 */
export function usesTopLevelAwait(path: string, mayBeJavaScript = false): boolean {
  const isOwn = (each: string) => isCompiled(each) || (mayBeJavaScript && /\.[cm]?js$/.test(each));
  return someModule(path, isOwn, ({ isAsync }) => isAsync);
}

/**
 * Of JavaScript, whose syntax errors Node does not place where they are in an ES module.
 * @returns whether it, or a file that it imports, imports TypeScript
 * @throws SyntaxError that says where it is
 */
export function checkSyntax(path: string): boolean {
  const leadsTo = (file: string) => (specifier: string) => isCompiled(findSource(specifier, file) ?? '');
  return someModule(
    path,
    (each) => /\.[cm]?js$/.test(each),
    ({ imports }, file) => imports.some(leadsTo(file)),
  );
}

/** Looks at the program's own files, in the order of their imports. */
function someModule(
  path: string,
  isOwn: (path: string) => boolean,
  matches: (compiled: Compiled, path: string) => boolean,
  seen: Set<string> = new Set(),
): boolean {
  if (seen.has(path) || isInstalled(path) || !isOwn(path)) return false;
  seen.add(path);
  const compiled = compiledAs(path, 'commonjs');
  const next = (specifier: string) => {
    const found = findSource(specifier, path);
    return found !== undefined && someModule(found, isOwn, matches, seen);
  };
  return matches(compiled, path) || compiled.imports.some(next);
}

/**
 * For who imports a CommonJS module that was written as an ES module: Node would make all of `module.exports` its default
 * export. @param path as `require` takes it
 */
export function facadeOf(path: string, { exports, stars }: Compiled): string {
  const isWritten = exports.length > 0 || stars.length > 0;
  const named = exports.filter((name) => name !== 'default');
  return [
    'import{createRequire as __createRequire}from"node:module";',
    `const __module=__createRequire(import.meta.url)(${JSON.stringify(path)});`,
    isWritten ? 'const __default=__module.default;' : 'const __default=__module?.__esModule?__module.default:__module;',
    !isWritten || exports.includes('default') ? 'export{__default as default};' : '',
    ...named.map(
      (name, index) =>
        `const __${index}=__module[${JSON.stringify(name)}];export{__${index} as ${JSON.stringify(name)}};`,
    ),
    ...stars.map((specifier) => `export*from${JSON.stringify(specifier)};`),
  ].join('');
}
