/** What a stop owes to those who have connected, and what it says to those who come too late. */

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start } from './harness.ts';

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

describe('a graceful stop (TERM)', () => {
  it('answers clients that had connected before, though no worker had accepted them yet', async () => {
    const { path, write } = makeFolder({
      'app.mjs': `import { existsSync, writeSync } from 'node:fs'
        export default (env, startResponse) => {
          if (env.PATH_INFO === '/block') { writeSync(1, 'blocked'); while (!existsSync('go')); }
          startResponse('200 OK', []); return ['hello'] }`,
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    const blocking = tsgun.get('/block');
    await tsgun.until(() => tsgun.stdout.includes('blocked'), 'the worker to be blocked');
    const waiting = await Promise.all(Array.from({ length: 20 }, () => tsgun.connect()));
    for (const client of waiting) client.send(get);
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    write('go', '');
    await Promise.all(waiting.map(({ closed }) => closed));
    expect(waiting.map(({ received }) => /^HTTP\/1\.1 200 .*hello$/s.exec(received)?.index ?? received)).toEqual(
      waiting.map(() => 0),
    );
    expect((await blocking).text).toBe('hello');
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
  });

  it('of the whole process group answers clients in the accept queue, though the workers hear of it first', async () => {
    const { path, write } = makeFolder({
      'app.mjs': `import { existsSync } from 'node:fs'
        export default async (env, startResponse) => {
          console.log('parked')
          while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
          startResponse('200 OK', []); return ['hello'] }`,
    });
    const tsgun = start('app.mjs', ['-k', 'sync'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    const clients = await Promise.all(Array.from({ length: 4 }, () => tsgun.connect()));
    for (const client of clients) client.send(get);
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'one of them to run');
    tsgun.signal('SIGSTOP');
    process.kill(pid!, 'SIGTERM');
    await tsgun.until(
      () => tsgun.log.some(({ msg }) => msg.startsWith('SIGTERM: finishing')),
      'the worker to hear of it',
    );
    tsgun.signal('SIGTERM');
    tsgun.signal('SIGCONT');
    write('go', '');
    await Promise.all(clients.map(({ closed }) => closed));
    expect(clients.map(({ received }) => /hello$/.test(received))).toEqual([true, true, true, true]);
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
  });

  it('refuses clients that connect while the last requests run, instead of letting them wait for nothing', async () => {
    const { path, write } = makeFolder({
      'app.mjs': `import { existsSync } from 'node:fs'
        export default async (env, startResponse) => {
          console.log('parked')
          while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
          startResponse('200 OK', []); return ['hello'] }`,
    });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    await tsgun.workers(2);
    const port = Number(new URL(await tsgun.url()).port);
    const slow = tsgun.get('/');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGTERM');
    await eventually(() => isRefused(port));
    expect(tsgun.lines('shutdown_finished')).toEqual([]);
    write('go', '');
    expect((await slow).text).toBe('hello');
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
  });
});

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}
