/** Errors that a user meets. Config files. */

import { expect, it } from 'vitest';
import { complaintOf, outcomeOf, type Start } from './start.ts';

it.each<[what: string, start: Start]>([
  [
    'a config file that is not there',
    {
      args: ['good.mjs', '-c', 'none.json'],
      code: 1,
      says: ['tsgun: config: expected a file that can be read, got "none.json": there is no $PWD/none.json (--config)'],
    },
  ],
  [
    'one that a variable names',
    {
      args: ['good.mjs'],
      env: { TSGUN_CONFIG: 'none.json' },
      code: 1,
      says: [
        'tsgun: config: expected a file that can be read, got "none.json": there is no $PWD/none.json (TSGUN_CONFIG)',
      ],
    },
  ],
  [
    'a config file of gunicorn',
    {
      args: ['good.mjs', '-c', 'gunicorn.conf.py'],
      files: { 'gunicorn.conf.py': 'workers = 4\n' },
      code: 1,
      says: [
        'tsgun: config: expected a .json, .jsonc, .ts, .js, .mjs, .mts, .cts or .cjs file (tsgun reads no Python; the names of gunicorn\'s settings are in docs/settings.md), got "gunicorn.conf.py" (--config)',
      ],
    },
  ],
  [
    'a config file in YAML',
    {
      args: ['good.mjs', '-c', 'x.yaml'],
      files: { 'x.yaml': 'workers: 4\n' },
      code: 1,
      says: [
        'tsgun: config: expected a .json, .jsonc, .ts, .js, .mjs, .mts, .cts or .cjs file, got "x.yaml" (--config)',
      ],
    },
  ],
  [
    'broken JSON',
    {
      args: ['good.mjs', '-c', 'broken.json'],
      files: { 'broken.json': '{\n  "workers": 4\n  "threads": 2\n}\n' },
      code: 1,
      says: ['tsgun: config: expected a comma, got "threads" (broken.json:3)'],
    },
  ],
  [
    'JSON that is no object',
    {
      args: ['good.mjs'],
      files: { 'tsgun.config.json': '[]' },
      code: 1,
      says: ['tsgun: config: expected an object of settings, got an array of 0 (tsgun.config.json)'],
    },
  ],
  [
    'a key given twice',
    {
      args: ['good.mjs'],
      files: { 'tsgun.config.json': '{\n  "workers": 4,\n  "workers": 2\n}\n' },
      code: 1,
      says: ['tsgun: workers: expected once, got twice (tsgun.config.json:2 and 3)'],
    },
  ],
  [
    'three problems in one file',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.json': '{\n  "wrokers": 4,\n  "timeout": "soon",\n  "errorlog": "-"\n}\n' },
      code: 1,
      says: [
        'tsgun: wrokers: no such setting; did you mean workers? (tsgun.config.json:2)',
        'tsgun: timeout: expected a time in seconds from 0 to 2147483, got "soon" (tsgun.config.json:3)',
        'tsgun: errorlog: no such setting; write errorLogfile (tsgun.config.json:4)',
      ],
    },
  ],
  [
    "gunicorn's names in a file",
    {
      args: ['good.mjs'],
      files: { 'tsgun.config.json': '{\n  "raw_env": ["A=1"],\n  "keepalive": 5,\n  "preload_app": true\n}\n' },
      code: 1,
      says: [
        'tsgun: raw_env: no such setting; write env (tsgun.config.json:2)',
        'tsgun: keepalive: no such setting; write keepAlive (tsgun.config.json:3)',
        'tsgun: preload_app: no such setting; each worker loads the app itself, so that a reload serves new code; Node cannot fork a process with its memory (tsgun.config.json:4)',
      ],
    },
  ],
  [
    'problems in every place',
    {
      args: ['good.mjs', '--workres', '4'],
      files: { 'tsgun.config.json': '{ "threads": 0 }' },
      env: { TSGUN_TIMEOUT: 'x' },
      code: 1,
      says: [
        'tsgun: --workres: unknown option; did you mean --workers?',
        'tsgun: threads: expected a whole number from 1 to 256, got 0 (tsgun.config.json:1)',
        'tsgun: timeout: expected a time in seconds from 0 to 2147483, got "x" (TSGUN_TIMEOUT)',
      ],
    },
  ],
  [
    'a hook in JSON',
    {
      args: ['good.mjs'],
      files: { 'tsgun.config.json': '{ "preFork": "x" }' },
      code: 1,
      says: [
        'tsgun: preFork: expected a function, got "x"; hooks need a config file that is a module, such as tsgun.config.ts (tsgun.config.json:1)',
      ],
    },
  ],
  [
    'a hook that is no function',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.mjs': 'export default {\n  preFork: 5,\n};' },
      code: 1,
      says: ['tsgun: preFork: expected a function, got 5 (tsgun.config.mjs:2)'],
    },
  ],
  [
    'a config module that throws',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.ts': 'interface A { a: 1 }\nthrow new Error("no vault");' },
      code: 1,
      says: ['tsgun: config: the file failed to load: no vault (tsgun.config.ts:2)', '    at $PWD/tsgun.config.ts:2'],
    },
  ],
  [
    'a config module with a syntax error',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.ts': 'export default {\n  workers:\n};' },
      code: 1,
      says: ['tsgun: config: the file failed to load: Expression expected (tsgun.config.ts:3)'],
    },
  ],
  [
    'a config module that is a function',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.mjs': 'export default function settings() {}' },
      code: 1,
      says: ['tsgun: config: expected an object of settings, got the function settings (tsgun.config.mjs)'],
    },
  ],
  [
    'a hook that fails at the start',
    {
      isWhole: true,
      args: ['good.mjs'],
      files: { 'tsgun.config.ts': 'export default { onStarting() { throw new Error("no vault"); } };' },
      code: 1,
      says: ['tsgun: onStarting: the hook failed: no vault', '    at $PWD/tsgun.config.ts:1'],
    },
  ],
])('%s', async (_, start) => {
  const { code, says = [], logs = [] } = start;
  const outcome = start.isWhole === true ? await outcomeOf(start) : await complaintOf(start);
  expect(outcome).toEqual({ code, says, logs, stdout: '', stack: undefined });
});
