/** A config file in JSON, with what editors allow in it: comments, a comma after the last item, a byte order mark. */

import { createRequire } from 'node:module';
import type { Node, ParseError } from 'jsonc-parser';

export interface JsonFile {
  readonly content: unknown;
  /** Where each key of the outermost object stands. */
  readonly lines: ReadonlyMap<string, number>;
  /** Each ends with its place in parentheses. */
  readonly problems: readonly string[];
}

/** `require`, because Node cannot import the ES module build of jsonc-parser. */
const require = createRequire(import.meta.url);

/** @param name as messages show the file */
export function readJson(text: string, name: string): JsonFile {
  const { parseTree, getNodeValue, printParseErrorCode } = require('jsonc-parser') as typeof import('jsonc-parser');
  const clean = text.replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const root = parseTree(clean, errors, { allowTrailingComma: true });
  const [first] = errors;
  // Those that follow the first are mostly its echo.
  if (first !== undefined) {
    const expected = expectations[printParseErrorCode(first.error)] ?? 'JSON';
    const line = lineAt(clean, first.offset);
    const problem = `config: expected ${expected}, got ${excerpt(clean, first)} (${name}:${line})`;
    return { content: undefined, lines: new Map(), problems: [problem] };
  }
  const lines = new Map<string, number>();
  const problems: string[] = [];
  for (const key of keysOf(root)) {
    const line = lineAt(clean, key.offset);
    const before = lines.get(key.value);
    if (before !== undefined) problems.push(`${key.value}: expected once, got twice (${name}:${before} and ${line})`);
    lines.set(key.value, line);
  }
  return { content: root === undefined ? undefined : getNodeValue(root), lines, problems };
}

const expectations: Readonly<Record<string, string>> = {
  InvalidSymbol: 'a value or a name in double quotes',
  InvalidNumberFormat: 'a number',
  PropertyNameExpected: 'a name in double quotes',
  ValueExpected: 'a value',
  ColonExpected: 'a colon',
  CommaExpected: 'a comma',
  CloseBraceExpected: 'a closing brace',
  CloseBracketExpected: 'a closing bracket',
  EndOfFileExpected: 'the end of the file',
  UnexpectedEndOfComment: 'the end of the comment',
  UnexpectedEndOfString: 'a closing quote',
  UnexpectedEndOfNumber: 'digits',
  InvalidUnicode: 'four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'an escape that JSON knows, such as \\\\ or \\n',
  InvalidCharacter: 'no control character inside a string',
};

function keysOf(root: Node | undefined): Node[] {
  if (root?.type !== 'object') return [];
  return (root.children ?? []).flatMap(({ children }) => children?.slice(0, 1) ?? []);
}

function excerpt(text: string, { offset, length }: ParseError): string {
  const piece = text.slice(offset, offset + length).split('\n', 1)[0]!;
  if (piece === '') return 'the end of the file';
  return piece.length > 40 ? `${piece.slice(0, 37)}...` : piece;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
