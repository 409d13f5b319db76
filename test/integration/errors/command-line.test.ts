/** Errors that a user meets. The command line. */

import { expect, it } from 'vitest';
import { complaintOf, outcomeOf, type Start } from './start.ts';

it.each<[what: string, start: Start]>([
  [
    'nothing at all',
    {
      isWhole: true,
      args: [],
      code: 1,
      says: [
        'tsgun: no app given',
        '',
        'Usage: tsgun [options] APP',
        '',
        'For example:',
        '  tsgun app.ts',
        '  tsgun app.ts --workers auto --bind 0.0.0.0:8000',
        '',
        '  tsgun --help           all options',
        '  tsgun --help workers   all about one option',
      ],
    },
  ],
  [
    'an option with a typo',
    {
      isWhole: true,
      args: ['--workres', '4', 'good.mjs'],
      code: 1,
      says: ['tsgun: --workres: unknown option; did you mean --workers?'],
    },
  ],
  [
    'an unknown letter',
    { args: ['good.mjs', '-z', '4'], code: 1, says: ['tsgun: -z: unknown option; tsgun --help lists the options'] },
  ],
  [
    "an option in gunicorn's case",
    {
      args: ['good.mjs', '--worker_class', 'sync'],
      code: 1,
      says: ['tsgun: --worker_class: unknown option; write --worker-class'],
    },
  ],
  [
    'a port alone',
    {
      args: ['good.mjs', '--port', '3000'],
      code: 1,
      says: [
        'tsgun: --port: unknown option; write --bind 127.0.0.1:3000 to serve this machine only, or --bind 0.0.0.0:3000 for all of its addresses',
      ],
    },
  ],
  [
    'a host alone',
    {
      args: ['good.mjs', '--host', '0.0.0.0'],
      code: 1,
      says: ['tsgun: --host: unknown option; write --bind 0.0.0.0:8000, with the port'],
    },
  ],
  [
    "PM2's word for workers",
    {
      args: ['good.mjs', '-i', 'max'],
      code: 1,
      says: ['tsgun: -i: unknown option; write --workers ("auto" in place of "max")'],
    },
  ],
  [
    "PM2's verb",
    {
      isWhole: true,
      args: ['start', 'good.mjs'],
      code: 1,
      says: ['tsgun: there is no command start: write tsgun good.mjs'],
    },
  ],
  [
    "gunicorn's --preload",
    {
      args: ['good.mjs', '--preload'],
      code: 1,
      says: [
        'tsgun: --preload: unknown option; each worker loads the app itself, so that a reload serves new code; Node cannot fork a process with its memory',
      ],
    },
  ],
  [
    "gunicorn's -D",
    {
      args: ['-D', 'good.mjs'],
      code: 1,
      says: [
        'tsgun: -D: unknown option; tsgun stays in the foreground: let systemd, a container or another supervisor run it',
      ],
    },
  ],
  [
    "gunicorn's --log-file",
    {
      args: ['good.mjs', '--log-file', 'x'],
      code: 1,
      says: ['tsgun: --log-file: unknown option; write --error-logfile'],
    },
  ],
  [
    'an option of Node',
    {
      args: ['good.mjs', '--max-old-space-size=512'],
      code: 1,
      says: [
        'tsgun: --max-old-space-size: unknown option; it is an option of Node: write --node-options "--max-old-space-size=512"',
      ],
    },
  ],
  [
    'an option without its value',
    { args: ['good.mjs', '--workers'], code: 1, says: ['tsgun: --workers: expected a value (N|auto), got none'] },
  ],
  [
    'an option in place of a value',
    {
      args: ['good.mjs', '--workers', '--threads', '4'],
      code: 1,
      says: ['tsgun: --workers: expected a value (N|auto), got "--threads"'],
    },
  ],
  [
    'options, but no app',
    {
      args: ['--workers', '4'],
      code: 1,
      says: ['tsgun: no app given: write tsgun APP, such as tsgun apps/fib.ts (tsgun --help lists the options)'],
    },
  ],
  [
    'two apps',
    {
      args: ['a.ts', 'b.ts'],
      code: 1,
      says: ["tsgun: one app only, got a.ts and b.ts; the app's own arguments follow --"],
    },
  ],
  [
    'help of no option',
    {
      isWhole: true,
      args: ['--help', 'wrokers'],
      code: 1,
      says: ['tsgun: --help: expected the name of an option, got wrokers; did you mean --workers?'],
    },
  ],
])('%s', async (_, start) => {
  const { code, says = [], logs = [] } = start;
  const outcome = start.isWhole === true ? await outcomeOf(start) : await complaintOf(start);
  expect(outcome).toEqual({ code, says, logs, stdout: '', stack: undefined });
});
