/** Out of descriptors: no worker is lost, the log names the cause, and service returns with the first that is free. Linux only. */

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openDescriptors } from '../descriptors.ts';
import type { Client } from '../http/client.ts';
import { timeOf } from '../scheduling.ts';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const app = `
import { closeSync, openSync, readFileSync } from 'node:fs'
const held = []
const paths = {
  '/take'() { try { for (;;) held.push(openSync('/dev/null')) } catch {} },
  // Also those that connections give back.
  '/hoard'() { setInterval(paths['/take'], 20) },
  '/release'() { for (const fd of held.splice(0)) closeSync(fd) },
  // One, and later: whoever asks has a connection that must not be the free descriptor.
  '/release-one-later'() { setTimeout(() => closeSync(held.pop()), 500) },
  '/read'() { readFileSync('/etc/hostname') },
  '/escape'() { setTimeout(() => readFileSync('/etc/hostname')) },
}
export default (env, startResponse) => {
  paths[env.PATH_INFO]?.()
  startResponse('200 OK', [])
  return ['by ' + process.pid]
}`;

const classes = ['async', 'sync', 'threaded'];
/** The thread of a worker's watchdog starts when the worker is ready. */
async function untilSettled(pid: number): Promise<void> {
  let before: string[] = [];
  for (let same = 0; same < 10; ) {
    const now = openDescriptors(pid);
    same = now.join() === before.join() ? same + 1 : 0;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All of them: a thread of the worker's own may have one open for a moment, and gives it back when the others are taken. */
async function takeAll(ask: (path: string) => Promise<string>): Promise<void> {
  await eventually(async () => {
    expect(await ask('/take')).toBe('200');
    return (await ask('/read')) === '500';
  });
}

/** Until it is logged: while the gate shuts, one descriptor is free for a moment. */
async function letEscape(tsgun: Tsgun, ask: (path: string) => Promise<string>): Promise<void> {
  await eventually(async () => {
    await ask('/escape');
    return tsgun.log.some(({ msg }) => msg.startsWith('an error escaped'));
  });
}

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const limitTo = (count: number) => ({ through: ['prlimit', `--nofile=${count}`] });

function startLimited(workerClass: string, count = 64): Tsgun {
  const folder = makeFolder({ 'app.mjs': app });
  // Each thread has an app of its own, and only the one that holds the descriptors can release them.
  const threads = workerClass === 'threaded' ? ['--threads', '1'] : [];
  return start('app.mjs', ['-k', workerClass, ...threads], { cwd: folder.path, ...limitTo(count) });
}

/** Requests on one connection, which is there before descriptors are short, and so is all that a worker opens by itself. */
async function keep(tsgun: Tsgun): Promise<(path: string) => Promise<string>> {
  const [pid] = await tsgun.workers(1);
  const client = await tsgun.connect();
  await untilSettled(pid!);
  return async (path) => {
    client.received = '';
    client.send(request(path));
    return (await client.until(/^HTTP\/1\.1 (\d+)[\s\S]*(?:by \d+|failed\n)$/))[1]!;
  };
}

describe.each(classes)('with 64 descriptors and 200 connections, a worker of the class %s', (workerClass) => {
  it.each([
    ['that each bring a request', request('/')],
    ['that bring nothing', ''],
    ['that bring half a head', 'GET / HTTP/1.1\r\nHost:'],
  ])('is not lost, and serves within a second: connections %s', async (_, text) => {
    const tsgun = startLimited(workerClass);
    const [pid] = await tsgun.workers(1);
    const open = async () => {
      // It stays when its answer has come.
      const client = await tsgun.connect(true);
      client.send(text);
      return client;
    };
    const clients: Client[] = [];
    // A sync worker ends each connection, and waits two seconds for the client's end: one after the other, all would go in time.
    const together = workerClass === 'sync' ? 200 : 1;
    while (clients.length < 200) clients.push(...(await Promise.all(Array.from({ length: together }, open))));
    if (text === request('/')) await Promise.all(clients.map((client) => client.until(/by \d+$/)));
    const line = await tsgun.event('out_of_descriptors');
    expect(line).toMatchObject({
      level: 'warn',
      limit: 64,
      msg: expect.stringMatching(/limit is 64; raise it with ulimit -n/),
    });
    for (const { socket } of clients) socket.destroy();
    expect(await timeOf([pid!], async () => expect(await tsgun.ask()).toBe(`by ${pid}`))).toBeLessThan(1000);
    expect(tsgun.lines('out_of_descriptors')).toHaveLength(1);
    await tsgun.stop();
    expect(tsgun.lines('worker_exited')).toMatchObject([{ pid, reason: 'shutdown' }]);
  });
});

describe('an app that takes all descriptors', () => {
  it.each(['async', 'threaded'])(
    'loses its worker no connection, and gets them with the first that is free (%s)',
    async (workerClass) => {
      const tsgun = startLimited(workerClass);
      const [pid] = await tsgun.workers(1);
      const ask = await keep(tsgun);
      await takeAll(ask);
      // Of the app's failure and the look for the next connection, which is every 100 ms, the first is told.
      const where = expect.stringMatching(/^(app|accept)$/);
      expect(await tsgun.event('out_of_descriptors')).toMatchObject({ pid, where, limit: 64 });
      // It waits in the kernel, and is neither reset nor closed.
      const newcomers = await Promise.all(Array.from({ length: 5 }, () => tsgun.connect()));
      for (const newcomer of newcomers) newcomer.send(request('/'));
      expect(await ask('/')).toBe('200');
      expect(newcomers.map(({ received }) => received)).toEqual(['', '', '', '', '']);
      expect(await ask('/release-one-later')).toBe('200');
      for (const newcomer of newcomers) {
        await newcomer.until(/by \d+$/);
        newcomer.socket.destroy();
      }
      // By a new one: the other may have made room for them while it was idle.
      expect((await tsgun.get('/release')).status).toBe(200);
      expect(tsgun.living()).toEqual([pid]);
      await tsgun.stop();
    },
  );

  it('is not blamed for an error that escapes because of it, and its worker goes on', async () => {
    const tsgun = startLimited('async');
    const [pid] = await tsgun.workers(1);
    const ask = await keep(tsgun);
    await ask('/take');
    await letEscape(tsgun, ask);
    expect(tsgun.log.find(({ msg }) => /escaped/.test(msg))).toMatchObject({
      level: 'error',
      error: expect.stringMatching(/^EMFILE/),
      msg: 'an error escaped for want of a file descriptor: this worker goes on',
    });
    expect(await ask('/release')).toBe('200');
    expect(await tsgun.ask()).toBe(`by ${pid}`);
    await tsgun.stop();
    expect(tsgun.lines('worker_exited')).toMatchObject([{ pid, reason: 'shutdown' }]);
  });

  it.each(['async', 'sync', 'threaded'])(
    'and keeps them counts as leaking them: after ten seconds its worker is replaced (%s)',
    async (workerClass) => {
      const tsgun = startLimited(workerClass);
      const [pid] = await tsgun.workers(1);
      await untilSettled(pid!);
      await tsgun.ask('/hoard');
      await tsgun.event('out_of_descriptors');
      const newcomer = tsgun.ask();
      await tsgun.until(() => tsgun.log.some(({ level }) => level === 'fatal'), 'the leak to be found');
      expect(tsgun.log.find(({ level }) => level === 'fatal')).toMatchObject({
        pid,
        msg: 'the app leaks file descriptors, and none is left: this worker is being replaced',
      });
      await tsgun.workers(2);
      expect(await newcomer).toBe(`by ${tsgun.lines('worker_ready')[1]!.pid}`);
      await tsgun.stop();
    },
  );
});

it('a master without a descriptor to fork with says so, and forks when it has one', async () => {
  const folder = makeFolder({ 'app.mjs': app });
  const tsgun = start('app.mjs', ['-w', '2'], { cwd: folder.path });
  const [first, second] = await tsgun.workers(2);
  const limit = (count: number) => execFileSync('prlimit', [`--pid=${tsgun.pid}`, `--nofile=${count}:20000`]);
  limit(openDescriptors(tsgun.pid).length);
  process.kill(first!, 'SIGKILL');
  expect(await tsgun.event('out_of_descriptors')).toMatchObject({ where: 'fork' });
  expect(await tsgun.ask()).toBe(`by ${second}`);
  // However long it lasts, it tries again within a second.
  await tsgun.event('spawn_delayed', 5);
  for (const { delayMs } of tsgun.lines('spawn_delayed')) expect(delayMs).toBeLessThan(1000);
  limit(20_000);
  await tsgun.event('worker_ready', 3);
  expect(tsgun.lines('out_of_descriptors')).toHaveLength(1);
  await tsgun.stop();
});

it.each(classes)('too few descriptors for the class %s end the start with a clear error', async (workerClass) => {
  const tsgun = startLimited(workerClass, 32);
  expect(await tsgun.exited).toEqual({ code: 1, signal: null });
  expect(tsgun.text).toEqual([
    'tsgun: descriptors: the limit is 32 open files for each process, and tsgun needs at least 40: raise it with ulimit -n, LimitNOFILE= (systemd) or --ulimit nofile= (Docker)',
  ]);
});

it('with 64 descriptors, none is lost for good: after 400 connections as many are free as after 200', async () => {
  const tsgun = startLimited('async');
  const [pid] = await tsgun.workers(1);
  const round = async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => tsgun.connect()));
    for (const client of clients) client.send(request('/'));
    await Promise.all(clients.map((client) => client.until(/by \d+$/)));
    for (const { socket } of clients) socket.destroy();
  };
  await round();
  await tsgun.ask();
  const after = openDescriptors(pid).length;
  await round();
  await eventually(() => openDescriptors(pid).length <= after);
  await tsgun.stop();
});
