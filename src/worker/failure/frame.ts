/** Finds where an error was thrown, and the lines of code around it. */

import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ErrorReport } from '../../errors.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number | undefined;
}

/** The first place in the user's own code. A syntax error names its place at the end; other errors have a stack. */
export function placeOf({ message, stack = '' }: Pick<ErrorReport, 'message' | 'stack'>): Place | undefined {
  const said = message.slice(message.lastIndexOf('(')).trim();
  const places = [said, ...stack.split('\n')].flatMap((text) => placeIn(text) ?? []);
  return places.find(({ file }) => !file.includes('/node_modules/')) ?? places[0];
}

/** Reads a line such as `    at name (file:///srv/app.ts:3:7)` or `/srv/app.ts:3`. */
function placeIn(text: string): Place | undefined {
  const parts = text.trim().replace(/\)$/, '').split(':');
  const numbers: number[] = [];
  while (parts.length > 1 && numbers.length < 2 && /^\d+$/.test(parts.at(-1)!)) numbers.unshift(Number(parts.pop()));
  const [line, column] = numbers;
  if (line === undefined) return undefined;
  const head = parts.join(':');
  const inBrackets = head.slice(head.lastIndexOf('(') + 1);
  const name = inBrackets.replace(/^at (?:async )?/, '');
  const file = pathOf(name);
  return file === undefined ? undefined : { file, line, column };
}

function pathOf(name: string): string | undefined {
  if (name.startsWith('/')) return name;
  if (!name.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(name.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
}

/** Lines shown above and below the place. */
const around = 4;
const longestLine = 300;
const largestFile = 4 * 2 ** 20;

/** @returns the code with the line marked; undefined if the file cannot be read */
export function frameOf({ file, line, column }: Place): string | undefined {
  const lines = read(file);
  if (lines === undefined || line > lines.length) return undefined;
  const first = Math.max(1, line - around);
  const last = Math.min(lines.length, line + around);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1]!.slice(0, longestLine);
    const mark = number === line ? '>' : ' ';
    rows.push(`${mark} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number === line && column !== undefined && column <= longestLine)
      rows.push(`  ${' '.repeat(width)} | ${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`);
  }
  return rows.join('\n');
}

function read(file: string): string[] | undefined {
  try {
    const { size } = statSync(file);
    return size > largestFile ? undefined : readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return undefined;
  }
}
