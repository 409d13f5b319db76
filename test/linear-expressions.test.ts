/** Nothing that is written here can be made to take the square of its input's length: proven, expression by expression. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check } from 'recheck';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { chunkLineForm } from '../src/http/h1/grammar.ts';

const home = fileURLToPath(new URL('..', import.meta.url));
const files = ['src', 'apps'].flatMap((folder) =>
  readdirSync(`${home}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs)$/.test(name))
    .map((name) => `${folder}/${name}`),
);

interface Expressions {
  readonly literals: RegExp[];
  /** How many are put together at run time. */
  made: number;
}

function expressionsOf(file: string): Expressions {
  const found: Expressions = { literals: [], made: 0 };
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) return node.forEach(visit);
    const { type, callee, regex } = node as { type?: string; callee?: { name?: string }; regex?: RegExpParts };
    if (regex !== undefined) found.literals.push(new RegExp(regex.pattern, regex.flags));
    if ((type === 'NewExpression' || type === 'CallExpression') && callee?.name === 'RegExp') found.made++;
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(readFileSync(`${home}/${file}`, 'utf8'), { lang: 'ts', sourceType: 'module' }, file));
  return found;
}

interface RegExpParts {
  readonly pattern: string;
  readonly flags: string;
}

async function complexityOf({ source, flags }: RegExp): Promise<string> {
  const found = await check(source, flags, { timeout: 30_000 });
  if (found.status === 'safe') return 'linear';
  return `${found.status}: ${found.status === 'vulnerable' ? found.complexity.summary : found.error.kind}`;
}

describe('regular expressions take time in proportion to what they read', () => {
  test.each(files.filter((file) => expressionsOf(file).literals.length > 0))('%s', async (file) => {
    const found: [string, string][] = [];
    for (const literal of expressionsOf(file).literals) found.push([String(literal), await complexityOf(literal)]);
    expect(found.filter(([, complexity]) => complexity !== 'linear')).toEqual([]);
  });

  test('the check finds expressions that take more', async () => {
    expect(await complexityOf(/^[ \t]+|[ \t]+$/g)).toMatch(/^vulnerable: 2nd degree/);
    expect(await complexityOf(/^(?:a|b|ab)*$/)).toMatch(/^vulnerable: exponential/);
  });

  test('the check knows all expressions that are put together at run time', async () => {
    expect(await complexityOf(chunkLineForm)).toBe('linear');
    // detect: of a function's own text and the name of its parameter, once when an app is loaded. http-date: without repetition.
    // chaos: of fixed parts, anchored at both ends. memory: each line of one of the kernel's files, with one of two fixed names.
    const made = files.map((file) => [file, expressionsOf(file).made]).filter(([, count]) => count !== 0);
    expect(made).toEqual([
      ['src/app/detect.ts', 2],
      ['src/config/machine/memory.ts', 1],
      ['src/config/values/chaos.ts', 1],
      ['src/http/h1/grammar.ts', 1],
      ['apps/static/http-date.ts', 1],
    ]);
  });
});
