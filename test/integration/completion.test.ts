import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { complete as completionOf } from '../../src/config/pages/completion.ts';
import { makeFolder } from './harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** What bash offers when Tab is pressed at the end of these words. */
function completeInBash(...words: string[]): string[] {
  const { path, write } = makeFolder();
  write('tsgun', `#!/bin/sh\nexec ${process.execPath} ${command} "$@"\n`);
  chmodSync(`${path}/tsgun`, 0o755);
  const script = `source <(tsgun completion)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tsgun_yargs_completions; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, SHELL: '/bin/bash', PATH: `${path}${delimiter}${process.env.PATH}` };
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'tsgun', ...words], { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

/** Of what tsgun names, the shell offers what begins with the last word. */
const complete = async (words: readonly string[]) =>
  (await completionOf(['tsgun', ...words])).filter((word) => word.startsWith(words.at(-1)!));

describe('completion in the shell', () => {
  it('is that of bash', () => {
    expect(completeInBash('--work')).toEqual(['--workers', '--worker-class', '--worker-connections']);
    expect(completeInBash('-w', '4', '')).toEqual([]);
  });

  it.each([
    [['--work'], ['--workers', '--worker-class', '--worker-connections']],
    [
      ['--worker-class', ''],
      ['sync', 'threaded', 'async'],
    ],
    [['app.ts', '-k', 's'], ['sync']],
    [['--workers', ''], ['auto']],
    [
      ['--help', 'worker-c'],
      ['worker-class', 'worker-connections'],
    ],
  ])('of %j offers %j', async (words, expected) => expect(await complete(words)).toEqual(expected));

  it.each([[['']], [['ap']], [['--config', '']], [['-w', '4', '']]])(
    'of %j leaves it to the shell, which offers files',
    async (words) => {
      expect(await complete(words)).toEqual([]);
    },
  );
});
