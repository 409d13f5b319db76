import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bindHandle, bindPath } from '../../src/internals.ts';
import { eventually, makeFolder, Tsgun } from './harness.ts';

const app = `
import { existsSync } from 'node:fs'
export default async (env, startResponse) => {
  const isSlow = env.PATH_INFO === '/slow'
  if (isSlow) console.log('parked')
  while (isSlow && !existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  startResponse('200 OK', [])
  const { REMOTE_ADDR, REMOTE_PORT, SERVER_NAME, SERVER_PORT } = env
  if (env.PATH_INFO === '/env') return [JSON.stringify({ REMOTE_ADDR, REMOTE_PORT, SERVER_NAME, SERVER_PORT })]
  if (env.PATH_INFO === '/left') return [JSON.stringify(Object.keys(process.env).filter((name) => /^LISTEN_|^TSGUN_/.test(name)))]
  return ['hello']
}`;

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

/** A folder with the app, and how to start it there. */
function makeService(files: Record<string, string> = {}) {
  const folder = makeFolder({ 'app.mjs': app, ...files });
  const run = (args: string[], options: ConstructorParameters<typeof Tsgun>[1] = {}) =>
    new Tsgun(['app.mjs', ...args], { cwd: folder.path, ...options });
  return { ...folder, run, at: (name: string) => join(folder.path, name) };
}

/** One request on a connection of its own, over a unix socket. */
function getAt(socketPath: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

async function connectCode(path: string): Promise<string> {
  const socket = connect(path);
  const code = await Promise.race([
    once(socket, 'connect').then(() => 'connected'),
    new Promise<string>((resolve) => socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!))),
  ]);
  socket.destroy();
  return code;
}

/** Leaves a socket's file behind, as a process does that is killed. */
async function leaveStale(path: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), 'exit');
  expect(await connectCode(path)).toBe('ECONNREFUSED');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

describe.each([
  ['with the internals', ''],
  ['without the internals', '1'],
])('a unix socket, %s', (_, TSGUN_NO_INTERNALS) => {
  const env = { TSGUN_NO_INTERNALS };

  it('is served by all workers, beside a port, and its file goes at the end', async () => {
    const { run, at } = makeService();
    const tsgun = run(['-w', '2', '--bind', 'unix:a.sock', '--bind', '127.0.0.1:0'], { env });
    await tsgun.workers(2);
    const [unix, tcp] = [await tsgun.event('listening', 1), await tsgun.event('listening', 2)];
    expect(unix.address).toBe(`unix:${at('a.sock')}`);
    expect(unix).not.toHaveProperty('url');
    expect(tcp.url).toBe(`http://${tcp.address}`);
    expect(await (await fetch(`${tcp.url}/`)).text()).toBe('hello');
    expect(JSON.parse(await getAt(at('a.sock'), '/env'))).toEqual({
      REMOTE_ADDR: '',
      REMOTE_PORT: '',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '80',
    });
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it.each([
    ['000', 0o777],
    ['007', 0o770],
    ['177', 0o600],
  ])('is open to whom the umask %s leaves it to', async (umask, mode) => {
    const { run, at } = makeService();
    const through = ['/bin/sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
    const tsgun = run(['--bind', 'unix:a.sock'], { env, through });
    await tsgun.workers(1);
    expect(statSync(at('a.sock')).mode & 0o777).toBe(mode);
    await tsgun.stop();
  });

  it('takes the place of one that a killed process left', async () => {
    const { run, at } = makeService();
    await leaveStale(at('a.sock'));
    const tsgun = run(['--bind', 'unix:a.sock'], { env });
    await tsgun.workers(1);
    expect(await getAt(at('a.sock'))).toBe('hello');
    await tsgun.stop();
  });

  it('takes the place of the one that a killed master left, once its workers are gone', async () => {
    const { run, at } = makeService();
    const first = run(['--bind', 'unix:a.sock'], { env });
    await first.workers(1);
    first.signal('SIGKILL');
    await first.exited;
    await eventually(async () => (await connectCode(at('a.sock'))) !== 'connected');
    const second = run(['--bind', 'unix:a.sock'], { env });
    await second.workers(1);
    expect(await getAt(at('a.sock'))).toBe('hello');
    await second.stop();
  });

  it('that another process accepts on is refused by name, and left alone', async () => {
    const { run, at } = makeService();
    const other = createServer((socket) => socket.end('other')).listen(at('a.sock'));
    await once(other, 'listening');
    const tsgun = run(['--bind', 'unix:a.sock'], { env });
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text).toEqual([
      `tsgun: bind: unix:${at('a.sock')} is in use: a process accepts connections there; stop that one, or take another path (EADDRINUSE)`,
    ]);
    expect(await connectCode(at('a.sock'))).toBe('connected');
    other.close();
  });

  it('never takes the place of a file, a folder, or what cannot be', async () => {
    const { run, at, path } = makeService({ 'a.txt': 'precious' });
    mkdirSync(at('folder'));
    const long = 'x'.repeat(120);
    for (const [name, error] of [
      [
        'a.txt',
        `unix:${at('a.txt')} is there and is not a socket: remove it if it is not needed, or take another path`,
      ],
      [
        'folder',
        `unix:${at('folder')} is there and is not a socket: remove it if it is not needed, or take another path`,
      ],
      ['none/a.sock', `unix:${at('none/a.sock')}: the directory is not there: make it first (ENOENT)`],
      ['a.txt/a.sock', `unix:${at('a.txt/a.sock')}: ${at('a.txt')} is no directory`],
      [long, `unix:${at(long)} is too long: ${path.length + 121} bytes, and 107 fit; take a shorter path`],
    ] as const) {
      const tsgun = run(['--bind', `unix:${name}`], { env });
      expect(await tsgun.exited).toEqual({ code: 1, signal: null });
      expect(tsgun.text).toEqual([`tsgun: bind: ${error}`]);
    }
    expect(statSync(at('a.txt')).size).toBe('precious'.length);
  });

  it('is changed by a reload: the new one serves, the old one ends last and its file goes', async () => {
    const { run, at, write } = makeService({ 'tsgun.config.json': '{ "bind": "unix:a.sock", "workers": 2 }' });
    const tsgun = run([], { env });
    await tsgun.workers(2);
    const slow = getAt(at('a.sock'), '/slow');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    write('tsgun.config.json', '{ "bind": ["unix:b.sock", "127.0.0.1:0"], "workers": 2 }');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await getAt(at('b.sock'))).toBe('hello');
    write('go', '');
    expect(await slow).toBe('hello');
    await tsgun.event('worker_exited', 2);
    await eventually(() => !existsSync(at('a.sock')));
    expect(await getAt(at('b.sock'))).toBe('hello');
    await tsgun.stop();
    expect(existsSync(at('b.sock'))).toBe(false);
  });

  it('stays open through a reload that keeps it, and no request is lost', async () => {
    const { run, at } = makeService();
    const tsgun = run(['-w', '2', '--bind', 'unix:a.sock'], { env });
    await tsgun.workers(2);
    let isOver = false;
    const answers: string[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) answers.push(await getAt(at('a.sock')));
    });
    for (let round = 1; round <= 2; round++) {
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished', round);
    }
    await tsgun.event('worker_exited', 4);
    isOver = true;
    await Promise.all(load);
    expect(new Set(answers)).toEqual(new Set(['hello']));
    expect(tsgun.lines('listening')).toHaveLength(1);
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(false);
  });
});

describe('the file of a unix socket', () => {
  it('that is another’s by the end is not removed', async () => {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'unix:a.sock']);
    await tsgun.workers(1);
    unlinkSync(at('a.sock'));
    const other = createServer().listen(at('a.sock'));
    await once(other, 'listening');
    await tsgun.stop();
    expect(await connectCode(at('a.sock'))).toBe('connected');
    other.close();
  });

  it('is removed when the configuration’s other address cannot be bound, and when no worker boots', async () => {
    const { run, at, write } = makeService();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const first = run(['--bind', 'unix:a.sock', '--bind', `127.0.0.1:${port}`]);
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(existsSync(at('a.sock'))).toBe(false);
    other.close();
    write('app.mjs', 'throw new Error("no")');
    const second = run(['--bind', 'unix:a.sock']);
    expect(await second.exited).toEqual({ code: 4, signal: null });
    expect(existsSync(at('a.sock'))).toBe(false);
  });
});

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
  it('is a TCP socket that tsgun was started with', async () => {
    const { run } = makeService();
    const tsgun = run(['--bind', 'fd://3'], { descriptors: [tcpSocket()] });
    const { url, address } = await tsgun.event('listening');
    expect(url).toBe(`http://${address}`);
    expect(await getUrl(String(url))).toBe('hello');
    await tsgun.stop();
  });

  it('is a unix socket that tsgun was started with, whose file is not ours to remove', async () => {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'fd://4'], { descriptors: [tcpSocket(), unixSocket(at('a.sock'))] });
    const { address } = await tsgun.event('listening');
    expect(address).toBe(`unix:${at('a.sock')}`);
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

/** On a connection of its own. */
async function getUrl(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return response.text();
}

/** A socket that is bound here and listened on by whoever inherits it. */
function tcpSocket(): number {
  const handle = bindHandle('127.0.0.1', 0, 4);
  if (typeof handle === 'number') throw new Error(`cannot bind: ${handle}`);
  onTestFinished(() => handle.close());
  return handle.fd;
}

function unixSocket(path: string): number {
  const bound = bindPath(path);
  if (typeof bound === 'number') throw new Error(`cannot bind: ${bound}`);
  onTestFinished(() => bound.close());
  return bound.fd;
}
