/**
 * Compiles TypeScript and JSX to JavaScript, by swc, as a CommonJS or an ES module. Types are removed, not checked. What is
 * known of the module beside its code is found on the way.
 */

import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
import type { Options } from '@swc/core';
import { report } from '../errors.ts';
import { awaitOwner } from './compiler-owner.ts';
import { assignsExports, find, fitCommonJs, fitModule, hasAccessorField } from './fit.ts';
import { type CodeToken, tokenize } from './keep-lines.ts';
import type { CompileOptions } from './options.ts';

const require = createRequire(import.meta.url);

export type Format = 'commonjs' | 'module';

export interface Compiled {
  readonly code: string;
  /** The one that was asked for; but a file that assigns `module.exports` is CommonJS, whatever its package says. */
  readonly format: Format;
  /** What it imports by name, `require` included; of a CommonJS module. */
  readonly imports: readonly string[];
  /** What it exports by name; of a CommonJS module that was written as an ES module. */
  readonly exports: readonly string[];
  /** The modules all of whose exports are its own too. */
  readonly stars: readonly string[];
  /** Whether it awaits something outside of functions, which no CommonJS module can; of a CommonJS module. */
  readonly isAsync: boolean;
}

/** Loads swc now. What loads it first must live as long as the process: a thread that ends takes the addon's state with it. */
export function loadCompiler(): void {
  require('@swc/core');
}

/** Loads swc if not every user may read its files: this process becomes another user later. */
export function loadCompilerForOthers(): void {
  if (!mayAllRead(require.resolve('@swc/core'))) loadCompiler();
}

function mayAllRead(path: string): boolean {
  let needed = 0o4;
  for (let at = path; ; at = dirname(at), needed = 0o1) {
    if ((statSync(at).mode & needed) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** @throws SyntaxError whose message and stack say where */
export function compile(source: string, path: string, format: Format, options: CompileOptions): Compiled {
  const { code: swcCode, map } = transform(source, path, format, options);
  const code = format === 'commonjs' ? tolerateCycles(swcCode) : swcCode;
  const tokens = tokenize(code, (JSON.parse(map!) as { mappings: string }).mappings);
  // swc knows these with standard decorators only.
  if (options.experimentalDecorators === undefined && hasAccessorField(tokens))
    return compile(source, path, format, { ...options, experimentalDecorators: false });
  if (format === 'module') {
    if (assignsExports(tokens)) return compile(source, path, 'commonjs', options);
    return { code: fitModule(tokens), format, imports: [], exports: [], stars: [], isAsync: false };
  }
  const imports = textsAfter(tokens, ['require', '(']);
  const stars = textsAfter(tokens, ['_export_star', '(', 'require', '(']);
  const fitted = fitCommonJs(tokens, options);
  return {
    code: fitted,
    format,
    imports,
    exports: exportsIn(code),
    stars,
    isAsync: /\bawait\b/.test(code) && awaitsOutside(fitted),
  };
}

function transform(source: string, path: string, format: Format, options: CompileOptions) {
  awaitOwner();
  const { transformSync } = require('@swc/core') as typeof import('@swc/core');
  try {
    return transformSync(source, swcOptions(path, format, options));
  } catch (error) {
    throw locate(error, path);
  }
}

function swcOptions(path: string, format: Format, options: CompileOptions): Options {
  const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields } = options;
  const { jsx, jsxImportSource, jsxFactory, jsxFragmentFactory } = options;
  const isJsx = path.endsWith('x');
  return {
    filename: path,
    swcrc: false,
    configFile: false,
    sourceMaps: true,
    inputSourceMap: false,
    // The text decides: a CommonJS script is not an ES module.
    isModule: /\.mts$/.test(path) || format === 'module' ? true : 'unknown',
    jsc: {
      // The language of Node 20.
      target: 'es2022',
      keepClassNames: true,
      parser: /js(x?)$/.test(path)
        ? { syntax: 'ecmascript', jsx: isJsx, decorators: true }
        : { syntax: 'typescript', tsx: isJsx, decorators: true },
      transform: {
        ...((experimentalDecorators ?? true)
          ? { legacyDecorator: true, decoratorMetadata: emitDecoratorMetadata }
          : { decoratorVersion: '2022-03' as const }),
        useDefineForClassFields,
        react: {
          runtime: jsx,
          ...(jsx === 'automatic' && jsxImportSource !== undefined ? { importSource: jsxImportSource } : {}),
          ...(jsx === 'classic' && jsxFactory !== undefined ? { pragma: jsxFactory } : {}),
          ...(jsx === 'classic' && jsxFragmentFactory !== undefined ? { pragmaFrag: jsxFragmentFactory } : {}),
        },
      },
      experimental: { keepImportAttributes: true },
    },
    module:
      format === 'commonjs'
        ? { type: 'commonjs', ignoreDynamic: true, preserveImportMeta: true, exportInteropAnnotation: true }
        : { type: 'nodenext' },
  };
}

/** swc's errors show the code, with a caret below the place, and then a stack of its own. */
function locate(error: unknown, path: string): SyntaxError {
  const text = report(error).message.split('\nCaused by:', 1)[0]!.trimEnd();
  const reason = /^[ \t]*x (.*)$/m.exec(text)?.[1] ?? text;
  const lines = text.split('\n');
  const caret = lines.findIndex((line) => /^\s*:.*\^/.test(line));
  const line = lines.slice(0, caret).findLast((each) => /^\s*\d+ \|/.test(each));
  const number = /\d+/.exec(line ?? '')?.[0];
  const place = number === undefined ? path : `${path}:${number}`;
  const excerpt = lines.filter((each) => /^\s*(\d+ \||:)/.test(each)).join('\n');
  const located = new SyntaxError(`${reason} (${place})`);
  located.stack = `${place}\n${excerpt}\n\nSyntaxError: ${reason}`;
  return located;
}

/** Of the calls that begin so, and have one string in their parentheses. */
function textsAfter(tokens: readonly CodeToken[], call: readonly string[]): string[] {
  return find(tokens, call).flatMap((index) => {
    const [argument, end] = tokens.slice(index + call.length);
    return argument?.type === 'StringLiteral' && end?.value === ')' ? [unquote(argument.value)] : [];
  });
}

function unquote(literal: string): string {
  return literal.startsWith('"') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/**
 * swc's exports throw before their module has run to them. What tsc makes is undefined then, and classes whose decorators
 * name each other, in files that import each other, depend on it. No line changes its place.
 */
function tolerateCycles(code: string): string {
  let isExport = false;
  const tolerant = code.split('\n').map((line) => {
    if (!isExport) isExport = line === '_export(exports, {' || line.startsWith('Object.defineProperty(exports, "');
    else if (line === '});') isExport = false;
    else return line.replace(/^(\s*)return ([^;]+);$/, '$1try { return $2; } catch {}');
    return line;
  });
  return tolerant.join('\n');
}

/** As swc writes them: one by itself, or several in a hint for who reads the code without running it. */
function exportsIn(code: string): string[] {
  const lines = code.split('\n');
  const hint = lines.indexOf('0 && (module.exports = {');
  if (hint !== -1) return [...new Set(namesIn(lines.slice(hint + 1, lines.indexOf('});', hint)), hinted))];
  const enumerable = lines.filter((_, index) => lines[index + 1]?.trimStart().startsWith('enumerable: true') === true);
  return namesIn(enumerable, defined);
}

const hinted = /^\s*("(?:[^"\\]|\\.)*"|[\w$]+): null/;
const defined = /^Object\.defineProperty\(exports, ("(?:[^"\\]|\\.)*"), \{$/;

function namesIn(lines: readonly string[], form: RegExp): string[] {
  const texts = lines.flatMap((line) => form.exec(line)?.[1] ?? []);
  return texts.map((text) => (text.startsWith('"') ? unquote(text) : text));
}

/** In a static block of a class `await` is refused, as it is in CommonJS, but not taken for a name (ECMA-262 §15.7.1). */
function awaitsOutside(code: string): boolean {
  try {
    new Script(`class Module { static { ${code}\n} }`);
    return false;
  } catch {
    return true;
  }
}
