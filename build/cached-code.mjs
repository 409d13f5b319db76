/**
 * Puts the code of large chunks into files of their own, which `src/node/code-cache.ts` runs, with what V8 made of them at an
 * earlier start: V8 keeps that for scripts, and Node has no such thing for ES modules before 22.8. The chunk stays an ES
 * module with the same imports and exports, so that all who import it still share one instance.
 */

import { createHash } from 'node:crypto';
import { parseAst } from 'rolldown/parseAst';

/** Of an entry that is there for its exports alone: nothing else would import them. */
export const codeCacheEntry = 'code-cache-entry';

/** @param {readonly string[]} names of chunks */
export function cachedCode(names) {
  return {
    name: 'cached-code',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter(({ type, fileName }) => type === 'chunk' && !isPublic(fileName));
      delete bundle[`${codeCacheEntry}.js`];
      const runner = chunks.find(({ name, isEntry }) => name === 'code-cache' && !isEntry);
      const exported = /\brunCode as (\w+)/.exec(runner.code)[1];
      const entrances = new Map(chunks.flatMap(entranceOf));
      for (const chunk of chunks) {
        const name = names.find((one) => chunk.fileName === `chunks/${one}.js`);
        const source = new Source(chunk.code, name ?? chunk.fileName);
        source.takeBuiltins();
        if (name === undefined) chunk.code = source.toString();
        else {
          const { code, shim } = split(source, entrances);
          this.emitFile({ type: 'asset', fileName: `chunks/${name}.code.js`, source: code });
          chunk.code = `import { ${exported} as runCode } from "./${runner.fileName.slice('chunks/'.length)}";\n${shim}`;
        }
      }
    },
  };
}

/** What others than Node may read; `cli.js` says to them that it is for Node. */
const isPublic = (fileName) => /^(?:cli|index|validate|config\/.*)\.js$/.test(fileName);

/** A chunk that is there only to be imported by need, and has no code: that is in another one, which is loaded already. */
function entranceOf({ fileName, code }) {
  const [, names, from] = /^export \{ (.*) \} from "(\.\/[\w-]+\.js)";\s*$/.exec(code) ?? [];
  if (names === undefined) return [];
  const read = names.split(', ').map((name) => /^(\w+) as (\w+)$/.exec(name));
  if (read.includes(null)) return [];
  const members = read.map(([, local, as]) => `${as}: module.${local}`);
  const importing = `__importModule("${from}").then((module) => ({ ${members.join(', ')} }))`;
  return [[`./${fileName.slice('chunks/'.length)}`, importing]];
}

class Source {
  constructor(text, name) {
    this.text = text;
    this.name = name;
    this.body = parseAst(text, { lang: 'js', sourceType: 'module' }).body;
    this.cuts = [];
  }

  replace({ start, end }, by) {
    this.cuts.push({ start, end, by });
  }

  /** Without Node's ES modules for them, each of which reads every name of what it stands for. */
  takeBuiltins() {
    for (const node of this.body)
      if (node.type === 'ImportDeclaration' && node.source.value.startsWith('node:')) this.replace(node, builtin(node));
  }

  toString() {
    let { text } = this;
    for (const { start, end, by } of this.cuts.sort((one, other) => other.start - one.start))
      text = text.slice(0, start) + by + text.slice(end);
    return text;
  }
}

/** @returns the code as a function of what it imports, and the module that calls it */
function split(source, entrances) {
  const { text, name, body } = source;
  const imports = [];
  const locals = [];
  const variables = new Set();
  let exported = [];
  for (const node of body) {
    if (node.type === 'ImportDeclaration') {
      if (node.source.value.startsWith('node:')) continue;
      // Lines stay where they are: stacks name them.
      imports.push(text.slice(node.start, node.end));
      locals.push(...node.specifiers.map(({ local }) => local.name));
      source.replace(node, '');
    } else if (node.type === 'ExportNamedDeclaration' && node.source === null && node.declaration === null) {
      exported = node.specifiers.map((one) => ({ local: one.local.name, as: one.exported.name }));
      source.replace(node, `return [${exported.map(({ local }) => local).join(', ')}];`);
    } else if (node.type === 'VariableDeclaration' && node.kind === 'let') {
      for (const { id } of node.declarations) variables.add(id.name);
    } else if (node.type.startsWith('Export')) throw new Error(`chunk ${name}: no rule for ${node.type}`);
  }
  const changing = exported.find(({ local }) => variables.has(local));
  // The importers would have a copy.
  if (changing !== undefined) throw new Error(`chunk ${name}: it exports ${changing.local}, which may change`);
  walk(body, (node) => {
    if (node.type === 'MetaProperty' && node.meta.name === 'import') source.replace(node, '__importMeta');
    if (node.type !== 'ImportExpression') return;
    const importing = entrances.get(node.source.value);
    if (importing !== undefined) source.replace(node, importing);
    else source.replace({ start: node.start, end: node.start + 'import'.length }, '__importModule');
  });
  const parameters = ['__importMeta', '__importModule', ...locals];
  const code = `"use strict"; (function (${parameters.join(', ')}) { ${source}\n})\n`;
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const values = ['import.meta', '(to, options) => import(to, options)', ...locals];
  const shim = `${imports.join('\n')}
const [${exported.map((_, index) => `x${index}`).join(', ')}] = runCode("${name}", "${hash}", ${values.join(', ')});
export { ${exported.map(({ as }, index) => `x${index} as ${as}`).join(', ')} };
`;
  return { code, shim };
}

function builtin({ source, specifiers }) {
  const module = `process.getBuiltinModule(${JSON.stringify(source.value)})`;
  const whole = specifiers.filter(({ type }) => type !== 'ImportSpecifier');
  const named = specifiers.filter(({ type }) => type === 'ImportSpecifier');
  const names = named.map(({ imported, local }) => `${imported.name}: ${local.name}`);
  return [
    ...whole.map(({ local }) => `const ${local.name} = ${module};`),
    ...(names.length === 0 ? [] : [`const { ${names.join(', ')} } = ${module};`]),
  ].join(' ');
}

function walk(node, visit) {
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit);
    return;
  }
  if (typeof node?.type !== 'string') return;
  visit(node);
  for (const value of Object.values(node)) if (typeof value === 'object') walk(value, visit);
}
