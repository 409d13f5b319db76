/**
 * Lays compiled code out as its source is: each token on the line where it was written. So every stack, breakpoint and
 * profile shows the source's lines, without source maps, which cost memory and make each `error.stack` slower.
 */

import { createRequire } from 'node:module';

/** Both are loaded when there is something to compile, and then at once: import() would take a turn of the loop. */
const require = createRequire(import.meta.url);

export interface CodeToken {
  readonly type: string;
  value: string;
  /** Whether there is space or a comment before it. */
  readonly isSpaced: boolean;
  /** Its place in the source, from 0; undefined for what the compiler added. */
  readonly line: number | undefined;
  readonly column: number;
}

const lineBreak = /\r\n|[\n\r\u2028\u2029]/;

/** Without comments and white space. @param mappings those of the code's source map */
export function tokenize(code: string, mappings: string): CodeToken[] {
  const jsTokens = require('js-tokens') as typeof import('js-tokens');
  const { decode } = require('@jridgewell/sourcemap-codec') as typeof import('@jridgewell/sourcemap-codec');
  const mapped = decode(mappings);
  const tokens: CodeToken[] = [];
  let line = 0;
  let column = 0;
  let next = 0;
  let isSpaced = false;
  for (const { type, value } of jsTokens(code)) {
    if (type === 'WhiteSpace' || type === 'LineTerminatorSequence' || type.endsWith('Comment')) isSpaced = true;
    else {
      const segments = mapped[line] ?? [];
      while (next < segments.length && segments[next]![0] < column) next++;
      const [at, , sourceLine, sourceColumn = 0] = segments[next] ?? [];
      tokens.push({ type, value, isSpaced, line: at === column ? sourceLine : undefined, column: sourceColumn });
      isSpaced = false;
    }
    const pieces = value.split(lineBreak);
    if (pieces.length > 1) {
      line += pieces.length - 1;
      column = 0;
      next = 0;
    }
    column += pieces.at(-1)!.length;
  }
  return tokens;
}

export function layOut(tokens: readonly CodeToken[]): string {
  const inOrder = longestInOrder(tokens);
  let text = '';
  /** The line that is written to, and the one that should be. */
  let line = 0;
  let wanted = 0;
  let last: CodeToken | undefined;
  for (const [index, token] of tokens.entries()) {
    if (inOrder.has(index)) wanted = Math.max(wanted, token.line!);
    // Parentheses that allowed a break after it have gone: it goes along with what it returns.
    if (isRestricted(token) && inOrder.has(index + 1)) wanted = Math.max(wanted, tokens[index + 1]!.line!);
    if (wanted > line && mayBreak(last, token)) {
      text += '\n'.repeat(wanted - line) + (token.line === wanted ? ' '.repeat(token.column) : '');
      line = wanted;
    } else if (token.isSpaced) text += ' ';
    text += token.value;
    line += token.value.split(lineBreak).length - 1;
    last = token;
  }
  return text;
}

/**
 * The most tokens whose lines never go back. A compiler moves some, such as decorators to the end of their class, and those
 * must not take the others along.
 */
function longestInOrder(tokens: readonly CodeToken[]): Set<number> {
  /** By length, the end of the sequence that ends with the least line. */
  const ends: number[] = [];
  const previous = new Map<number, number | undefined>();
  for (const [index, { line }] of tokens.entries()) {
    if (line === undefined) continue;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tokens[ends[middle]!]!.line! <= line) low = middle + 1;
      else high = middle;
    }
    previous.set(index, ends[low - 1]);
    ends[low] = index;
  }
  const kept = new Set<number>();
  for (let index = ends.at(-1); index !== undefined; index = previous.get(index)) kept.add(index);
  return kept;
}

function isRestricted({ value }: CodeToken): boolean {
  return value === 'return' || value === 'throw';
}

/**
 * Whether a line break between two tokens leaves their meaning alone: not after `return` and its kind, nor before `=>` and
 * what could be a postfix operator (ECMA-262, "Rules of Automatic Semicolon Insertion"). After any punctuator is enough.
 */
function mayBreak(last: CodeToken | undefined, { value }: CodeToken): boolean {
  if (last === undefined || last.type === 'TemplateHead' || last.type === 'TemplateMiddle') return true;
  if (last.type !== 'Punctuator' || last.value === '++' || last.value === '--') return false;
  if (value === '++' || value === '--') return /^[;{}]$/.test(last.value);
  return value !== '=>';
}
