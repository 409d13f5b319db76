/** Errors that a user meets. Values of settings, from every source. */

import { expect, it } from 'vitest';
import { complaintOf, outcomeOf, type Start } from './start.ts';

it.each<[what: string, start: Start]>([
  [
    'a word as a number',
    {
      isWhole: true,
      args: ['good.mjs', '-w', 'four'],
      code: 1,
      says: ['tsgun: workers: expected a positive whole number up to 1024 or "auto", got "four" (--workers)'],
    },
  ],
  [
    'no workers',
    {
      args: ['good.mjs', '-w', '0'],
      code: 1,
      says: ['tsgun: workers: expected a positive whole number up to 1024 or "auto", got "0" (--workers)'],
    },
  ],
  [
    'less than no workers',
    {
      args: ['good.mjs', '--workers=-1'],
      code: 1,
      says: ['tsgun: workers: expected a positive whole number up to 1024 or "auto", got "-1" (--workers)'],
    },
  ],
  [
    'a class of gunicorn',
    {
      args: ['good.mjs', '-k', 'gevent'],
      code: 1,
      says: ['tsgun: workerClass: expected one of sync, threaded, async, got "gevent"; write async (--worker-class)'],
    },
  ],
  [
    'a port as an address',
    {
      args: ['good.mjs', '-b', '8000'],
      code: 1,
      says: [
        'tsgun: bind: expected HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N, got "8000"; write 127.0.0.1:8000 to serve this machine only, or 0.0.0.0:8000 for all of its addresses (--bind)',
      ],
    },
  ],
  [
    'a host as an address',
    {
      args: ['good.mjs', '-b', 'localhost'],
      code: 1,
      says: [
        'tsgun: bind: expected HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N, got "localhost"; a port is missing: write localhost:8000 (--bind)',
      ],
    },
  ],
  [
    'an IPv6 address without brackets',
    {
      args: ['good.mjs', '-b', '::1:8000'],
      code: 1,
      says: [
        'tsgun: bind: expected HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N, got "::1:8000"; write [::1]:8000 (--bind)',
      ],
    },
  ],
  [
    "Puma's form of an address",
    {
      args: ['good.mjs', '-b', 'tcp://0.0.0.0:9292'],
      code: 1,
      says: [
        'tsgun: bind: expected HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N, got "tcp://0.0.0.0:9292"; write 0.0.0.0:9292 (--bind)',
      ],
    },
  ],
  [
    'a port that is too large',
    {
      args: ['good.mjs', '-b', '127.0.0.1:99999'],
      code: 1,
      says: [
        'tsgun: bind: expected HOST:PORT or [V6]:PORT with a port from 0 to 65535, unix:PATH, or fd://N, got "127.0.0.1:99999" (--bind)',
      ],
    },
  ],
  [
    'an address given twice',
    {
      args: ['good.mjs', '-b', '127.0.0.1:8000', '-b', '127.0.0.1:8000'],
      code: 1,
      says: ['tsgun: bind: expected each address once, got 127.0.0.1:8000 twice (--bind)'],
    },
  ],
  [
    'a time with a unit',
    {
      args: ['good.mjs', '--graceful-timeout', '2m'],
      code: 1,
      says: [
        'tsgun: gracefulTimeout: expected a time in seconds from 0 to 2147483, got "2m"; write 120 (--graceful-timeout)',
      ],
    },
  ],
  [
    'a timeout that is too short',
    {
      args: ['good.mjs', '--timeout', '0.1'],
      code: 1,
      says: ['tsgun: timeout: expected a time in seconds of at least 0.5, or 0 for never, got "0.1" (--timeout)'],
    },
  ],
  [
    'a size with a unit',
    {
      args: ['good.mjs', '--limit-request-body', '10MB'],
      code: 1,
      says: [
        'tsgun: limitRequestBody: expected a whole number of at least 0, got "10MB"; write 10485760 (--limit-request-body)',
      ],
    },
  ],
  [
    'memory with a unit',
    {
      args: ['good.mjs', '--max-worker-memory', '512M'],
      code: 1,
      says: [
        'tsgun: maxWorkerMemory: expected a whole number of at least 0, got "512M"; write 512 (--max-worker-memory)',
      ],
    },
  ],
  [
    'a mask that is not octal',
    {
      args: ['good.mjs', '-m', '9'],
      code: 1,
      says: ['tsgun: umask: expected octal digits such as 022 or 0o22, or a number from 0 to 511, got "9" (--umask)'],
    },
  ],
  [
    'a name that is none',
    {
      args: ['good.mjs', '-u', 'a b'],
      code: 1,
      says: ['tsgun: user: expected a name or a number, got "a b" (--user)'],
    },
  ],
  [
    "Puma's environment",
    {
      args: ['good.mjs', '-e', 'production'],
      code: 1,
      says: ['tsgun: env: expected NAME=VALUE, got "production"; write NODE_ENV=production (--env)'],
    },
  ],
  [
    'a variable without a name',
    { args: ['good.mjs', '-e', '=x'], code: 1, says: ['tsgun: env: expected a variable with a name, got "" (--env)'] },
  ],
  [
    'an interface of Python',
    {
      args: ['good.mjs', '--interface', 'asgi'],
      code: 1,
      says: ['tsgun: interface: expected one of auto, wsgi, node, fetch, tcp, got "asgi"; write fetch (--interface)'],
    },
  ],
  [
    'a level that there is not',
    {
      args: ['good.mjs', '--log-level', 'loud'],
      code: 1,
      says: [
        'tsgun: logLevel: expected one of trace, debug, info, warn, warning, error, fatal, critical, got "loud" (--log-level)',
      ],
    },
  ],
  [
    'a port as a pidfile',
    {
      args: ['good.mjs', '-p', '3000'],
      code: 1,
      says: [
        'tsgun: pidfile: expected a file, got "3000"; write --bind 127.0.0.1:3000 for a port, or ./3000 for a file of that name (--pidfile)',
      ],
    },
  ],
  [
    'an option that Node does not know',
    {
      args: ['good.mjs', '--node-options', '--no-such-option'],
      code: 1,
      says: ['tsgun: nodeOptions: expected options that Node $NODE takes, got --no-such-option (--node-options)'],
    },
  ],
  [
    'an option that makes Node run something else',
    {
      isWhole: true,
      args: ['good.mjs', '--node-options', '--test'],
      code: 1,
      says: [
        'tsgun: nodeOptions: expected options of Node with which it still runs the app, got "--test" (--node-options)',
      ],
    },
  ],
  [
    'an env file that is not there',
    {
      args: ['good.mjs'],
      env: { TSGUN_ENV_FILE: 'nope.env' },
      code: 1,
      says: ['tsgun: envFile: expected a file that can be read, got "$PWD/nope.env": it is not there (TSGUN_ENV_FILE)'],
    },
  ],
  [
    'an env file with a broken line',
    {
      args: ['good.mjs', '--env-file', '.env'],
      files: { '.env': 'A=1\nB: 2\n' },
      code: 1,
      says: ['tsgun: envFile: expected NAME=VALUE, got "B: 2" ($PWD/.env:2)'],
    },
  ],
  [
    'a directory that is not there',
    {
      args: ['good.mjs', '--chdir', 'nowhere'],
      code: 1,
      says: ['tsgun: chdir: expected a directory, got "$PWD/nowhere": it is not there (--chdir)'],
    },
  ],
  [
    'a bad variable',
    {
      args: ['good.mjs'],
      env: { TSGUN_KEEP_ALIVE: 'long' },
      code: 1,
      says: ['tsgun: keepAlive: expected a time in seconds from 0 to 2147483, got "long" (TSGUN_KEEP_ALIVE)'],
    },
  ],
  [
    'a bad $PORT',
    {
      args: ['good.mjs'],
      env: { PORT: 'http' },
      code: 1,
      says: ['tsgun: bind: expected a port from 0 to 65535, got "http" ($PORT)'],
    },
  ],
  [
    'a bad $WEB_CONCURRENCY',
    {
      args: ['good.mjs'],
      env: { WEB_CONCURRENCY: 'lots' },
      code: 1,
      says: ['tsgun: workers: expected a positive whole number up to 1024 or "auto", got "lots" ($WEB_CONCURRENCY)'],
    },
  ],
])('%s', async (_, start) => {
  const { code, says = [], logs = [] } = start;
  const outcome = start.isWhole === true ? await outcomeOf(start) : await complaintOf(start);
  expect(outcome).toEqual({ code, says, logs, stdout: '', stack: undefined });
});
