import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../../src/config/load.ts';
import { tryNodeOptions } from '../../../src/config/sources/try-node-options.ts';
import { nodeOptions } from '../../../src/config/values/node-options.ts';
import { Expected } from '../../../src/config/values/parser.ts';

describe('options of Node', () => {
  it.each<[unknown, string[]]>([
    ['--max-old-space-size=512 --max-semi-space-size=64', ['--max-old-space-size=512', '--max-semi-space-size=64']],
    [' --import ./a.mjs  -r ./b.cjs ', ['--import', './a.mjs', '-r', './b.cjs']],
    ['--title="a b" --import="./a \\"b\\".mjs"', ['--title=a b', '--import=./a "b".mjs']],
    [['--title=a b'], ['--title=a b']],
    ['', []],
    [[], []],
  ])('%j', (raw, words) => {
    expect(nodeOptions(raw)).toEqual(words);
    expect(nodeOptions(nodeOptions.show(words))).toEqual(words);
  });

  it.each([
    'app.js',
    '-e 1',
    '--eval=1',
    '-p',
    '-pe',
    '-c',
    '--test',
    '--watch',
    '--run x',
    '--version',
    '-v',
    '--',
    '-',
    '--title="a',
    ['--a', 5],
    5,
    null,
    [''],
    '-i',
  ])('are not %j', (raw) => expect(() => nodeOptions(raw)).toThrow(Expected));

  it.each([
    [
      '--no-such-option',
      /^nodeOptions: expected options that Node v\S+ takes, got --no-such-option \(--node-options\)$/,
    ],
    ['--max-old-space-size=much', /got --max-old-space-size=much \(--node-options\)$/],
    ['--conditions', /--conditions requires an argument/],
    ['--max-old-space-size=512', undefined],
    ['--import ./not-there.mjs', undefined],
  ])('are tried on Node itself: %s', async (raw, message) => {
    const checked = resolveSettings([{ name: '--node-options', values: { nodeOptions: raw } }]);
    const problems = await tryNodeOptions(checked);
    if (message === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringMatching(message)]);
  });
});
