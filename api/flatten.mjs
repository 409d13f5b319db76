/**
 * Types that are derived from a table, written out: who uses the package sees a list of settings in place of the table's
 * declaration, and of all that it mentions.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, relative } from 'node:path';

const require = createRequire(import.meta.url);
/** Its own, of a release that has an API. */
const ts = createRequire(require.resolve('@microsoft/api-extractor'))('typescript');

/** @param derived the names of such types, by declaration file */
export function flatten(folder, derived) {
  const files = ts.sys.readDirectory(folder, ['.d.ts']);
  const { ModuleKind, ModuleResolutionKind, ScriptTarget } = ts;
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ScriptTarget.ES2023,
    module: ModuleKind.NodeNext,
  };
  const program = ts.createProgram(files, {
    ...options,
    moduleResolution: ModuleResolutionKind.NodeNext,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const symbolsOf = (path) => checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)));
  const print = (type) => checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  const edits = Object.entries(derived).map(([file, names]) => {
    const path = `${folder}/${file}`;
    let text = readFileSync(path, 'utf8');
    const used = new Set();
    for (const name of names) {
      const [declaration] = symbolsOf(path).find((symbol) => symbol.name === name).declarations;
      const flat = render(checker.getTypeAtLocation(declaration), checker, print);
      for (const [word] of flat.matchAll(/\b[A-Z]\w+/g)) used.add(word);
      text = text.replace(declaration.getText(), `export type ${name} = ${flat};`);
    }
    return { path, text: importsOf(used, path) + text };
  });
  for (const { path, text } of edits) writeFileSync(path, text);

  function importsOf(words, path) {
    const own = new Set(symbolsOf(path).map(({ name }) => name));
    const found = files
      .filter((file) => file !== path && checker.getSymbolAtLocation(program.getSourceFile(file)) !== undefined)
      .flatMap((file) => symbolsOf(file).map((symbol) => ({ file, symbol })))
      // Where it is declared, and not where it is exported once more.
      .filter(
        ({ file, symbol }) =>
          words.has(symbol.name) &&
          !own.has(symbol.name) &&
          symbol.declarations?.[0].getSourceFile().fileName === file &&
          !ts.isExportSpecifier(symbol.declarations[0]),
      );
    return found
      .map(
        ({ file, symbol }) =>
          `import type { ${symbol.name} } from './${relative(dirname(path), file).replace(/\.d\.ts$/, '.js')}';\n`,
      )
      .join('')
      .replaceAll("'./../", "'../");
  }
}

function render(type, checker, print) {
  if (type.isUnion()) return type.types.map(print).join(' | ');
  const lines = type.getProperties().map((property) => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    return `    readonly ${property.name}${isOptional ? '?' : ''}: ${print(checker.getTypeOfSymbol(property))};`;
  });
  return `{\n${lines.join('\n')}\n}`;
}
