import { describe, expect, it } from 'vitest';
import { readJson } from '../../../src/config/sources/json-file.ts';

const read = (text: string) => readJson(text, 'c.json');

describe('a config file in JSON', () => {
  it('may have comments, a comma after the last item, and a byte order mark; and tells the line of each key', () => {
    const { content, lines, problems } = read(
      '\uFEFF{\n  // how many\n  "workers": 2, /* and\n where */ "bind": [\n "h:1",\n],\r\n  "env": { "A": "//" },\n}\n',
    );
    expect(content).toEqual({ workers: 2, bind: ['h:1'], env: { A: '//' } });
    expect([...lines]).toEqual([
      ['workers', 3],
      ['bind', 4],
      ['env', 7],
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['', 'expected a value, got the end of the file (c.json:1)'],
    ['{ "workers": 2\n  "bind": "x" }', 'expected a comma, got "bind" (c.json:2)'],
    ['{\n "workers": }', 'expected a value, got } (c.json:2)'],
    ['{ workers: 2 }', 'expected a value or a name in double quotes, got workers (c.json:1)'],
    ["{ 'workers': 2 }", "expected a value or a name in double quotes, got 'workers' (c.json:1)"],
    ['{ "workers" 2 }', 'expected a colon, got 2 (c.json:1)'],
    ['{\n\n"workers": 2', 'expected a closing brace, got the end of the file (c.json:3)'],
    ['{ "bind": ["a" }', 'expected a comma, got } (c.json:1)'],
    ['{ "a": 01 }', 'expected a comma, got 1 (c.json:1)'],
    ['{ "procName": "x\n" }', 'expected a closing quote, got "x (c.json:1)'],
    ['{ "procName": "\\q" }', 'expected an escape that JSON knows, such as \\\\ or \\n, got "\\q" (c.json:1)'],
    ['{} x', 'expected a value or a name in double quotes, got x (c.json:1)'],
    ['{ /* x', 'expected the end of the comment, got /* x (c.json:1)'],
    ['workers = 4', 'expected a value or a name in double quotes, got workers (c.json:1)'],
  ])('%j is refused with the line and what stands there', (text, problem) => {
    expect(read(text)).toMatchObject({ content: undefined, problems: [`config: ${problem}`] });
  });

  it('does not let the second of two equal keys win in silence', () => {
    expect(read('{ "workers": 2,\n "workers": 3 }').problems).toEqual([
      'workers: expected once, got twice (c.json:1 and 2)',
    ]);
  });
});
