/**
 * The types of what is decorated, in ES modules. As the compiler writes them, a class of a module that imports this one is not
 * there yet, which throws; and an interface is imported by a name that its module has not got, so that neither is loaded.
 * With these changes both are the `Object` that TypeScript has for what it does not know.
 */

import type { CodeToken } from './keep-lines.ts';

const pattern = ['===', '"undefined"', '?', 'Object', ':'];

/** @returns what the code needs ahead of it */
export function mendMetadata(tokens: CodeToken[]): string {
  /** The indexes of the names in it. */
  const names = new Set<number>();
  for (const [index, token] of tokens.entries()) {
    if (token.value !== 'typeof') continue;
    const first = expressionAt(tokens, index + 1);
    const second = expressionAt(tokens, first.end + pattern.length);
    const isMetadata = pattern.every((value, at) => tokens[first.end + at]?.value === value);
    if (!isMetadata || first.text === '' || first.text !== second.text) continue;
    // typeof A === "undefined" ? Object : A
    token.value = '__typeOf(()=>';
    for (let at = index + 1; at < second.start; at++) tokens[at]!.value = '';
    tokens[second.end - 1]!.value += ')';
    names.add(second.start);
  }
  if (names.size === 0) return '';
  const namespaces = importLazily(tokens, names);
  return `function __typeOf(get){try{return get()??Object}catch{return Object}}${namespaces}`;
}

interface Expression {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** `A` or `A.B.C`; empty if there is another one. */
function expressionAt(tokens: readonly CodeToken[], start: number): Expression {
  let end = start;
  let text = '';
  while (tokens[end]?.type === 'IdentifierName') {
    text += tokens[end]!.value;
    if (tokens[end + 1]?.value !== '.') return { start, end: end + 1, text };
    text += '.';
    end += 2;
  }
  return { start, end: start, text: '' };
}

/** What is imported for such types alone is taken from all that its module exports, when the type is asked for. */
function importLazily(tokens: readonly CodeToken[], names: ReadonlySet<number>): string {
  const uses = new Map<string, number[]>();
  for (const [index, { type, value }] of tokens.entries())
    if (type === 'IdentifierName' && tokens[index - 1]?.value !== '.')
      uses.set(value, [...(uses.get(value) ?? []), index]);
  let text = '';
  for (const { from, specifiers } of namedImports(tokens)) {
    for (const { imported, local, span } of specifiers) {
      const others = (uses.get(tokens[local]!.value) ?? []).filter((index) => index < span[0] || index >= span[1]);
      if (others.length === 0 || !others.every((index) => names.has(index))) continue;
      const namespace = `__types${local}`;
      const access = `${namespace}[${JSON.stringify(tokens[imported]!.value)}]`;
      for (const index of others) {
        const { value } = tokens[index]!;
        tokens[index]!.value = access + (value.endsWith(')') ? ')' : '');
      }
      for (let index = span[0]; index < span[1]; index++) tokens[index]!.value = '';
      text += `import*as ${namespace} from${tokens[from]!.value};`;
    }
  }
  return text;
}

interface NamedImport {
  /** Indexes of tokens. */
  readonly from: number;
  readonly specifiers: { readonly imported: number; readonly local: number; readonly span: [number, number] }[];
}

/** `import { a, b as c } from 'd'`, with or without a default before it. */
function namedImports(tokens: readonly CodeToken[]): NamedImport[] {
  const found: NamedImport[] = [];
  for (const [index, { value }] of tokens.entries()) {
    const open = tokens[index + 1]?.value === '{' ? index + 1 : index + 3;
    if (value !== 'import' || tokens[open]?.value !== '{') continue;
    const specifiers: NamedImport['specifiers'] = [];
    let at = open + 1;
    while (tokens[at]?.type === 'IdentifierName') {
      const local = tokens[at + 1]?.value === 'as' ? at + 2 : at;
      const end = tokens[local + 1]?.value === ',' ? local + 2 : local + 1;
      specifiers.push({ imported: at, local, span: [at, end] });
      at = end;
    }
    if (tokens[at]?.value === '}' && tokens[at + 1]?.value === 'from') found.push({ from: at + 2, specifiers });
  }
  return found;
}
