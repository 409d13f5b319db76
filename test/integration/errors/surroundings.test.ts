/** Errors that a user meets. What the system does not give: addresses, files, accounts. */

import { expect, it } from 'vitest';
import { outcomeOf, type Start } from './start.ts';

const bun = "Object.defineProperty(process, 'versions', { value: { ...process.versions, bun: '9.9' } })";

it.each<[what: string, start: Start]>([
  [
    'another runtime',
    {
      args: ['good.mjs'],
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bun)}` },
      code: 1,
      says: [
        'tsgun: it runs on Node.js 20.19 and later, and this is Bun 9.9: run it by node: npx tsgun, or bunx tsgun without --bun',
      ],
    },
  ],
  [
    'a user that there is not',
    {
      args: ['good.mjs', '-u', 'no-such-user'],
      code: 1,
      says: ['tsgun: user: expected a user of this system, got "no-such-user" (--user)'],
    },
  ],
  [
    'a group that there is not',
    {
      args: ['good.mjs', '-g', 'no-such-group'],
      code: 1,
      says: ['tsgun: group: expected a group of this system, got "no-such-group" (--group)'],
    },
  ],
  [
    'an address of another machine',
    {
      args: ['good.mjs', '-b', '192.0.2.1:8000'],
      code: 1,
      says: [
        'tsgun: bind: 192.0.2.1:8000 is not an address of this machine: bind 0.0.0.0 or [::] for all of its addresses (EADDRNOTAVAIL)',
      ],
    },
  ],
  [
    'a host that there is not',
    {
      args: ['good.mjs', '-b', 'no-such-host.invalid:8000'],
      code: 1,
      says: ['tsgun: bind: no-such-host.invalid:8000: no address for host "no-such-host.invalid" (ENOTFOUND)'],
    },
  ],
  [
    'a unix socket in a folder that is not there',
    {
      args: ['good.mjs', '-b', 'unix:nowhere/x.sock'],
      code: 1,
      says: ['tsgun: bind: unix:$PWD/nowhere/x.sock: the directory is not there: make it first (ENOENT)'],
    },
  ],
  [
    'a descriptor that nobody passed',
    {
      args: ['good.mjs', '-b', 'fd://97'],
      code: 1,
      says: ['tsgun: bind: fd://97: it is not a socket that tsgun was started with'],
    },
  ],
  [
    'a pidfile in a folder that is not there',
    {
      args: ['good.mjs', '-p', 'nowhere/x.pid'],
      code: 1,
      says: ['tsgun: pidfile: expected a file that can be written, got $PWD/nowhere/x.pid: its folder is not there'],
    },
  ],
  [
    'a pidfile of a process that runs',
    {
      args: ['good.mjs', '-p', '1.pid'],
      files: { '1.pid': '1\n' },
      code: 1,
      says: [
        'tsgun: pidfile: $PWD/1.pid says process 1, which is running: stop that one first, or remove the file if that is no tsgun',
      ],
    },
  ],
  [
    'a log in a folder that is not there',
    {
      args: ['good.mjs', '--error-logfile', 'nowhere/x.log'],
      code: 1,
      says: [
        'tsgun: errorLogfile: expected a file that can be written, got $PWD/nowhere/x.log: its folder is not there (--error-logfile)',
      ],
    },
  ],
])('%s', async (_, start) => {
  const { code, says = [], logs = [] } = start;
  expect(await outcomeOf(start)).toEqual({ code, says, logs, stdout: '', stack: undefined });
});
