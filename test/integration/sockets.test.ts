import { once } from 'node:events';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { freePort } from '../ports.ts';
import { getAt, getUrl, makeService, tcpSocket, unixSocket } from './socket-service.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('addresses of TCP', () => {
  it.skipIf(!hasIpv6)('[::] takes IPv4 too, unless another address is for that', async () => {
    const { run, write } = makeService();
    const port = await freePort();
    const alone = run(['--bind', `[::]:${port}`]);
    expect((await alone.event('listening')).url).toBe(`http://[::]:${port}`);
    for (const host of ['[::1]', '127.0.0.1']) expect(await getUrl(`http://${host}:${port}`)).toBe('hello');
    await alone.stop();
    const bind = [`[::]:${port}`, `0.0.0.0:${port}`, '[::1]:0'];
    write('tsgun.config.json', JSON.stringify({ bind }));
    const both = run([]);
    await both.event('listening', 3);
    for (const host of ['[::1]', '127.0.0.1']) expect(await getUrl(`http://${host}:${port}`)).toBe('hello');
    expect(await getUrl(String(both.lines('listening')[2]!.url))).toBe('hello');
    both.signal('SIGHUP');
    await both.event('reload_finished');
    expect(both.lines('listening')).toHaveLength(3);
    await both.stop();
  });

  it('that overlap in one configuration are refused before any worker runs', async () => {
    const { run } = makeService();
    const port = await freePort();
    const tsgun = run(['--bind', `127.0.0.1:${port}`, '--bind', `0.0.0.0:${port}`]);
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text).toEqual([
      `tsgun: bind: 0.0.0.0:${port} and 127.0.0.1:${port} are on the same socket: give one of them`,
    ]);
  });

  it('that a reload widens are not said to be held by another process', async () => {
    const { run, write } = makeService();
    const port = await freePort();
    write('tsgun.config.json', JSON.stringify({ bind: `127.0.0.1:${port}` }));
    const tsgun = run([]);
    await tsgun.workers(1);
    write('tsgun.config.json', JSON.stringify({ bind: `0.0.0.0:${port}` }));
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toBe(
      `bind: 0.0.0.0:${port} overlaps 127.0.0.1:${port}, where this tsgun listens until the reload is over: ` +
        'a reload cannot change one into the other; start tsgun anew, or take another address',
    );
    expect(await getUrl(`http://127.0.0.1:${port}`)).toBe('hello');
    await tsgun.stop();
  });
});

describe('fd://N', () => {
  it('is a socket that tsgun was started with, of TCP or a unix socket, whose file is not ours to remove', async () => {
    const { run, at } = makeService();
    const descriptors = [tcpSocket(), unixSocket(at('a.sock'))];
    const tsgun = run(['--bind', 'fd://3', '--bind', 'fd://4'], { descriptors });
    const { url, address } = await tsgun.event('listening');
    expect(url).toBe(`http://${address}`);
    expect(await getUrl(String(url))).toBe('hello');
    expect((await tsgun.event('listening', 2)).address).toBe(`unix:${at('a.sock')}`);
    expect(await getAt(at('a.sock'))).toBe('hello');
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(true);
  });

  it('can be left by a reload, and taken up again by the next', async () => {
    const { run, write } = makeService();
    write('tsgun.config.json', '{ "bind": "fd://3" }');
    const tsgun = run([], { descriptors: [tcpSocket()] });
    const { url } = await tsgun.event('listening');
    for (const [round, bind] of ['127.0.0.1:0', 'fd://3'].entries()) {
      write('tsgun.config.json', JSON.stringify({ bind }));
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished', round + 1);
      await tsgun.event('worker_exited', round + 1);
    }
    expect(await getUrl(String(url))).toBe('hello');
    expect(tsgun.lines('listening').map((line) => line.url)).toEqual([
      url,
      expect.not.stringMatching(String(url)),
      url,
    ]);
    await tsgun.stop();
  });

  it('of anything else is refused, and the error says why', async () => {
    const { run, at } = makeService();
    writeFileSync(at('file'), '');
    const server = createServer().listen(0, '127.0.0.1');
    const local = createServer().listen(at('b.sock'));
    await Promise.all([once(server, 'listening'), once(local, 'listening')]);
    const tcp = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const unix = connect(at('b.sock'));
    await Promise.all([once(tcp, 'connect'), once(unix, 'connect')]);
    const fdOf = (socket: object) => (socket as { _handle: { fd: number } })._handle.fd;
    const descriptors = [openSync(at('file'), 'r'), fdOf(tcp), fdOf(unix)];
    for (const [fd, reason] of [
      [3, ': it is not a socket that tsgun was started with'],
      [4, ' is a connection, not a listening socket: pass the socket that accepts'],
      [5, ' is a connection, not a listening socket: pass the socket that accepts'],
      [99, ': it is not a socket that tsgun was started with'],
    ] as const) {
      const tsgun = run(['--bind', `fd://${fd}`], { descriptors });
      expect(await tsgun.exited).toEqual({ code: 1, signal: null });
      expect(tsgun.text).toEqual([`tsgun: bind: fd://${fd}${reason}`]);
    }
    for (const each of [tcp, unix]) each.destroy();
    for (const each of [server, local]) each.close();
  });

  it('without the internals is refused, as it cannot be kept', async () => {
    const { run } = makeService();
    const options = { descriptors: [tcpSocket()], env: { TSGUN_NO_INTERNALS: '1' } };
    const tsgun = run(['--bind', 'fd://3'], options);
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text[0]).toMatch(/^tsgun: bind: fd:\/\/3: inherited sockets need .* take an address instead$/);
  });
});

describe('sockets of systemd', () => {
  it('take the place of bind, stay through a reload, and leave no variable to the workers', async () => {
    const { run, at } = makeService();
    const through = ['/bin/sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b exec "$@"', 'sh'];
    const descriptors = [tcpSocket(), unixSocket(at('a.sock'))];
    const tsgun = run(['-w', '2', '--bind', '127.0.0.1:0'], { through, descriptors });
    await tsgun.workers(2);
    const { url } = await tsgun.event('listening');
    expect((await tsgun.event('listening', 2)).address).toBe(`unix:${at('a.sock')}`);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await getUrl(String(url))).toBe('hello');
    expect(await getAt(at('a.sock'))).toBe('hello');
    expect(await getAt(at('a.sock'), '/left')).toBe('[]');
    expect(tsgun.lines('listening')).toHaveLength(2);
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(true);
  });

  it('that are for another process are left to it', async () => {
    const { run } = makeService();
    const env = { LISTEN_PID: '1', LISTEN_FDS: '1' };
    const tsgun = run(['--bind', '127.0.0.1:0'], { env, descriptors: [tcpSocket()] });
    const { url } = await tsgun.event('listening');
    expect(await getUrl(`${url}/left`)).toBe('[]');
    const warnings = tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warnings).toEqual([
      `LISTEN_FDS=1 is ignored, and tsgun listens where bind says: LISTEN_PID says process 1, and this is process ${tsgun.pid}; have the unit start tsgun itself, not npm, npx or a shell`,
    ]);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await tsgun.stop();
  });

  const activate = '/usr/bin/systemd-socket-activate';
  it.skipIf(!existsSync(activate))('come from the real thing', async () => {
    const { run, at } = makeService();
    const port = await freePort();
    const through = [activate, '-l', at('a.sock'), '-l', `127.0.0.1:${port}`];
    const tsgun = run(['-w', '2'], { through });
    await tsgun.until(() => tsgun.text.some((line) => line.includes('as 4')), 'the sockets to be there');
    // It starts the server at the first connection, which waits for it.
    expect(await getAt(at('a.sock'))).toBe('hello');
    expect(await getUrl(`http://127.0.0.1:${port}`)).toBe('hello');
    await tsgun.stop();
  });
});
