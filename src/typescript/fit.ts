/** Adds what only the other kind of module has, so that code which mixes both kinds runs. */

import { ownImport } from './dynamic-import.ts';
import { type CodeToken, layOut } from './keep-lines.ts';
import { mendMetadata } from './metadata.ts';
import type { CompileOptions } from './options.ts';

/** In the globals: the path of the module that the process, or the thread, is for. */
export const mainKey = Symbol.for('tsgun.main');

const commonJsNames = ['require', 'module', 'exports', '__filename', '__dirname'];

export function fitCommonJs(tokens: CodeToken[], { importsByRequire }: CompileOptions): string {
  const usesMeta = replaceMeta(tokens);
  const usesImport = importsByRequire && replaceImport(tokens);
  // A name that Node's wrapper has as a parameter cannot be declared beside it, but within it.
  const isBlock = commonJsNames.some((name) => declares(tokens, name));
  const prelude = `${usesMeta ? metaPrelude : ''}${usesImport ? ownImport.prelude : ''}`;
  const text = layOut(tokens);
  if (prelude === '' && !isBlock) return text;
  const isStrict = /^["']use strict["']$/.test(tokens[0]?.value ?? '');
  return `${isStrict ? '"use strict";' : ''}${prelude}${isBlock ? `{${text}\n}` : text}`;
}

const metaPrelude =
  'const __importMeta={__proto__:null,url:require("node:url").pathToFileURL(__filename).href,filename:__filename,' +
  'dirname:__dirname,main:require.main===module,resolve(to){const path=require.resolve(to);return path[0]==="/"?' +
  'require("node:url").pathToFileURL(path).href:"node:"+path.replace("node:","")}};';

/** Replaces each `import.meta` of a CommonJS module. @returns whether the module has one */
function replaceMeta(tokens: readonly CodeToken[]): boolean {
  const found = find(tokens, ['import', '.', 'meta']);
  for (const index of found) replace(tokens, index, 3, '__importMeta');
  return found.length > 0;
}

/** For an ES module: older versions of Node do not say which one is the main one. */
const isMainModule = `(globalThis[Symbol.for("${mainKey.description}")]===import.meta.filename)`;

function replaceMain(tokens: readonly CodeToken[]): void {
  for (const index of find(tokens, ['import', '.', 'meta', '.', 'main'])) replace(tokens, index, 5, isMainModule);
}

/** Where this is. */
export function find(tokens: readonly CodeToken[], values: readonly string[]): number[] {
  return tokens.flatMap((_, index) =>
    values.every((value, at) => tokens[index + at]?.value === value) ? [index] : [],
  );
}

/** Whether a class has a field such as `accessor name = 1`. */
export function hasAccessorField(tokens: readonly CodeToken[]): boolean {
  return find(tokens, ['accessor']).some((index) => {
    const { type, value } = tokens[index + 1] ?? { type: '', value: '' };
    return type === 'PrivateIdentifier' || (type === 'IdentifierName' && !/^(?:in|of|instanceof)$/.test(value));
  });
}

function replace(tokens: readonly CodeToken[], index: number, count: number, by: string): void {
  for (const [at, token] of tokens.slice(index, index + count).entries()) token.value = at === 0 ? by : '';
}

/** Replaces each `import()`, but no call of a method of that name. @returns whether the module has one */
function replaceImport(tokens: readonly CodeToken[]): boolean {
  let isFound = false;
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1]?.value;
    if (token.value !== 'import' || tokens[index + 1]?.value !== '(' || before === '.' || before === '?.') continue;
    isFound = true;
    token.value = ownImport.name;
  }
  return isFound;
}

export function fitModule(tokens: CodeToken[]): string {
  const types = mendMetadata(tokens);
  replaceMain(tokens);
  const lacks = (name: string) => isUsed(tokens, name) && !declares(tokens, name);
  const needsModule = lacks('module');
  const needsRequire = needsModule || lacks('require');
  const prelude = [
    needsRequire && !declares(tokens, 'require')
      ? 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);'
      : '',
    lacks('__filename') ? 'const __filename=import.meta.filename;' : '',
    lacks('__dirname') ? 'const __dirname=import.meta.dirname;' : '',
    needsModule ? `const module={exports:{},filename:import.meta.filename};if${isMainModule}require.main=module;` : '',
  ];
  return types + prelude.join('') + layOut(tokens);
}

/** `module.exports = …` or `exports.name = …`. */
export function assignsExports(tokens: readonly CodeToken[]): boolean {
  const isNamed = (value: string | undefined) => value === '.' || value === '[';
  return (
    !declares(tokens, 'module') &&
    !declares(tokens, 'exports') &&
    tokens.some(({ value }, index) => {
      if (value !== 'exports') return false;
      const [object, dot] = [tokens[index - 2]?.value, tokens[index - 1]?.value];
      if (dot === '.')
        return object === 'module' && (tokens[index + 1]?.value === '=' || isNamed(tokens[index + 1]?.value));
      return isNamed(tokens[index + 1]?.value);
    })
  );
}

function isUsed(tokens: readonly CodeToken[], name: string): boolean {
  return tokens.some(({ value }, index) => {
    const before = tokens[index - 1]?.value;
    return value === name && before !== '.' && before !== '?.' && tokens[index + 1]?.value !== ':';
  });
}

function declares(tokens: readonly CodeToken[], name: string): boolean {
  return tokens.some(({ value }, index) => {
    const before = tokens[index - 1]?.value ?? '';
    return value === name && ['const', 'let', 'var', 'class', 'function', 'as'].includes(before);
  });
}
