/** An address that is in use at the start: it is waited for, as the process before may be about to leave it. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { timeOf } from '../scheduling.ts';
import { makeService } from './socket-service.ts';

async function occupy(options: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(options);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

async function free(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

describe.each([
  ['with the internals', ''],
  ['without the internals', '1'],
])('an address in use at the start, %s', (_, TSGUN_NO_INTERNALS) => {
  const env = { TSGUN_NO_INTERNALS };

  it('is tried again, which the log says once, and is taken when it is free', async () => {
    const { run } = makeService();
    const holder = await occupy({ port: 0, host: '127.0.0.1' });
    const address = `127.0.0.1:${portOf(holder)}`;
    const tsgun = run(['--bind', address], { env });
    await tsgun.until(() => tsgun.log.length > 0, 'a line');
    expect(tsgun.log).toMatchObject([
      { level: 'warn', address, msg: `${address} is in use: trying again for 5 s (EADDRINUSE)` },
    ]);
    await free(holder);
    await tsgun.workers(1);
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await tsgun.stop();
  });

  it('that stays in use for five seconds ends the start', async () => {
    const { run } = makeService();
    const holder = await occupy({ port: 0, host: '127.0.0.1' });
    const before = performance.now();
    const tsgun = run(['--bind', '127.0.0.1:0', '--bind', `127.0.0.1:${portOf(holder)}`], { env });
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(performance.now() - before).toBeGreaterThan(5000);
    expect(tsgun.text).toEqual([expect.stringMatching(/^tsgun: bind: .* is in use by another process: stop that one/)]);
  });

  it('is said once also of the admin listener', async () => {
    const { run } = makeService();
    const holder = await occupy({ port: 0, host: '127.0.0.1' });
    const address = `127.0.0.1:${portOf(holder)}`;
    const tsgun = run(['--admin-bind', address], { env });
    await tsgun.until(() => tsgun.log.length > 0, 'a line');
    await free(holder);
    await tsgun.workers(1);
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await tsgun.stop();
  });

  it('does not keep a stop waiting', async () => {
    const { run } = makeService();
    const holder = await occupy({ port: 0, host: '127.0.0.1' });
    const tsgun = run(['--bind', `127.0.0.1:${portOf(holder)}`], { env });
    await tsgun.until(() => tsgun.log.length > 0, 'a line');
    const stop = async () => expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(await timeOf([tsgun.pid], stop)).toBeLessThan(1000);
  });

  it('may be a unix socket', async () => {
    const { run, at } = makeService();
    const holder = await occupy({ path: at('a.sock') });
    const tsgun = run(['--bind', 'unix:a.sock'], { env });
    await tsgun.until(() => tsgun.log.length > 0, 'a line');
    await free(holder);
    await tsgun.workers(1);
    await tsgun.stop();
  });
});

it('a reload does not wait for an address in use', async () => {
  const { run, write } = makeService({ 'tsgun.config.json': '{ "bind": "127.0.0.1:0" }' });
  const holder = await occupy({ port: 0, host: '127.0.0.1' });
  const tsgun = run([]);
  await tsgun.workers(1);
  write('tsgun.config.json', JSON.stringify({ bind: `127.0.0.1:${portOf(holder)}` }));
  tsgun.signal('SIGHUP');
  expect((await tsgun.event('reload_failed')).error).toContain('is in use by another process');
  expect(tsgun.log.filter(({ msg }) => msg.includes('trying again'))).toEqual([]);
  await tsgun.stop();
});
