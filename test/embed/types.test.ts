/** What the compiler says to an embedder: `tsc` is the judge, of every line that must be refused too. */

import {
  type App,
  createServer,
  type run,
  type Server,
  type ServerAddress,
  type Stopped,
  type UserSettings,
} from 'tsgun';
import { type ValidatedApp, validator } from 'tsgun/validate';
import { expect, expectTypeOf, test } from 'vitest';

const app: App = (_env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['x'];
};

test('settings are what a config file may say', () => {
  const settings: UserSettings = {
    bind: ['127.0.0.1:0', 'unix:/run/x.sock'],
    workers: 'auto',
    workerClass: 'threaded',
    timeout: 2.5,
    env: { A: 1, B: 'x' },
    umask: '022',
    user: null,
    logLevel: 'debug',
    pidfile: undefined,
  };
  // @ts-expect-error no such class
  const badClass: UserSettings = { workerClass: 'fast' };
  // @ts-expect-error no such setting
  const badName: UserSettings = { wrokers: 2 };
  // @ts-expect-error not a count
  const badCount: UserSettings = { workers: 'many' };
  expect([settings, badClass, badName, badCount]).toHaveLength(4);
});

test('the functions take and give what they say', () => {
  expectTypeOf<ReturnType<typeof run>>().resolves.toEqualTypeOf<Stopped>();
  expectTypeOf(createServer((env) => [env.PATH_INFO])).toEqualTypeOf<Server>();
  expectTypeOf<ReturnType<Server['listen']>>().resolves.toEqualTypeOf<ServerAddress>();
  expectTypeOf(validator(app)).toEqualTypeOf<ValidatedApp>();
  // @ts-expect-error it has no workers
  expect(() => createServer(app, { workers: 2 })).toThrow('workers');
  // @ts-expect-error a raw connection's app needs its interface said
  createServer((socket: import('node:net').Socket) => socket.end());
});
