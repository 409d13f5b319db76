import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Checked } from '../../../src/config/cross-checks.ts';
import { resolveSettings } from '../../../src/config/load.ts';
import { workerVariables } from '../../../src/config/sources/env-files.ts';
import { makeFolder } from '../../integration/harness.ts';

function read(files: Record<string, string>, env: NodeJS.ProcessEnv = {}, values: Record<string, unknown> = {}) {
  const { path } = makeFolder(files);
  const envFile = Object.keys(files).map((name) => join(path, name));
  const checked: Checked = resolveSettings([{ name: 'x', values: { envFile, ...values } }]);
  const found = workerVariables(checked, env);
  return { ...found, problems: found.problems.map((problem) => problem.replaceAll(path, '')) };
}

describe('an env file', () => {
  it.each<[string, Record<string, string>]>([
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['# c\n\n  export A = 1 # one\nB="a # b"\nC=\nD=a=b', { A: '1', B: 'a # b', C: '', D: 'a=b' }],
    ['A="x\n# y\nz"\nB=`"1"`\nC=\'$A\'', { A: 'x\n# y\nz', B: '"1"', C: '$A' }],
    ['', {}],
  ])('%j', (text, expected) =>
    expect(read({ '.env': text })).toEqual({ environment: expected, problems: [], warnings: [] }),
  );

  it.each([
    ['A=1\nB\nC=2', 'got "B" (/.env:2)'],
    ['A: 1', 'got "A: 1" (/.env:1)'],
    ['=1', 'got a value without a name (/.env:1)'],
    ['A B=1', 'got "A B" (/.env:1)'],
    ['X="x\ny"\n\nA="secret\nB=2', 'got a value that does not end, of "A" (/.env:4)'],
    ['A= "secret', 'got a value that does not end, of "A" (/.env:1)'],
    ['A=secret\0', 'got a zero byte in "A" (/.env:1)'],
  ])('%j is refused with the line, and without the value', (text, problem) => {
    expect(read({ '.env': text }).problems).toEqual([`envFile: expected NAME=VALUE, ${problem}`]);
  });

  it('does not change what the environment has; env does, and of two files the later one', () => {
    const files = { '.env': 'A=file\nB=file\nC=file\nD=file', '.env.local': 'C=local\nD=local' };
    const env = { A: 'environment', B: 'environment' };
    const { environment } = read(files, env, { env: { B: 'option', D: 'option', E: 'option' } });
    expect(environment).toEqual({ B: 'option', C: 'local', D: 'option', E: 'option' });
  });

  it('warns of what looks like a setting of tsgun, which it cannot change', () => {
    const { warnings } = read({ '.env': 'TSGUN_WORKERS=4\nPORT=3000\nWEB_CONCURRENCY=4' });
    expect(warnings).toEqual([
      'envFile: PORT in an env file is for the app and changes no setting; write --bind for that (x)',
      'envFile: TSGUN_WORKERS in an env file is for the app and changes no setting; put it into the environment or a config file (x)',
      'envFile: WEB_CONCURRENCY in an env file is for the app and changes no setting; write --workers for that (x)',
    ]);
    expect(read({ '.env': 'WEB_CONCURRENCY=4' }, {}, { workers: 2 }).warnings).toEqual([]);
    expect(read({ '.env': 'PORT=3000' }, {}, { bind: ':3000' }).warnings).toEqual([]);
  });
});
