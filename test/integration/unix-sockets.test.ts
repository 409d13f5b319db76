import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, isAlive } from './harness.ts';
import { connectCode, getAt, makeService } from './socket-service.ts';

/** Leaves a socket's file behind, as a process does that is killed. */
async function leaveStale(path: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), 'exit');
  expect(await connectCode(path)).toBe('ECONNREFUSED');
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
  ])('is open to those that the umask %s allows', async (umask, mode) => {
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
    const other = createServer((socket) => socket.destroy()).listen(at('a.sock'));
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

  it('is removed when the master ends by code that is not its own', async () => {
    const { run, at, write } = makeService({
      'tsgun.config.mjs': `import { existsSync } from 'node:fs'
      setInterval(() => existsSync('end') && process.exit(9), 20)
      export default { bind: 'unix:a.sock' }`,
    });
    const tsgun = run([]);
    const pids = await tsgun.workers(1);
    write('end', '');
    expect(await tsgun.exited).toEqual({ code: 9, signal: null });
    expect(existsSync(at('a.sock'))).toBe(false);
    await eventually(() => !pids.some(isAlive));
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

describe.skipIf(process.getuid?.() !== 0).each([
  ['with the internals', ''],
  ['without the internals', '1'],
])('the file of a unix socket with --user and --group, %s', (_, TSGUN_NO_INTERNALS) => {
  const env = { TSGUN_NO_INTERNALS };
  const ownerOf = (path: string) => {
    const { uid, gid, mode } = statSync(path);
    return [uid, gid, mode & 0o777];
  };

  it('belongs to the workers, as in gunicorn, and its mode is the umask’s', async () => {
    const { run, at, path } = makeService();
    chmodSync(path, 0o755);
    const tsgun = run(['--bind', 'unix:a.sock', '-u', '65534', '-g', '65533', '-m', '007'], { env });
    await tsgun.event('listening');
    expect(ownerOf(at('a.sock'))).toEqual([65534, 65533, 0o770]);
    expect(await getAt(at('a.sock'))).toBe('hello');
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(false);
  });
});

describe.skipIf(process.getuid?.() !== 0)('a reload with other users', () => {
  it('gives the file of a unix socket that stays to the new ones, unless it is given up', async () => {
    const configured = (user: string, more = {}) =>
      JSON.stringify({ bind: 'unix:a.sock', user, group: '65533', ...more });
    const { run, at, path, write } = makeService({ 'tsgun.config.json': configured('65534') });
    chmodSync(path, 0o755);
    const tsgun = run([]);
    await tsgun.workers(1);
    write('tsgun.config.json', configured('65532', { env: { BREAK: '1' } }));
    write('app.mjs', 'throw new Error("not today")');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_failed');
    expect(statSync(at('a.sock')).uid).toBe(65534);
    write('app.mjs', 'export default (env, startResponse) => { startResponse("200 OK", []); return ["new"] }');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await eventually(() => statSync(at('a.sock')).uid === 65532);
    await tsgun.stop();
  });
});

describe('the file of a unix socket that somebody has deleted', () => {
  it('is put back at HUP, and serves', async () => {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'unix:a.sock', '-w', '2']);
    await tsgun.workers(2);
    for (let round = 1; round <= 2; round++) {
      unlinkSync(at('a.sock'));
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished', round);
      expect(await getAt(at('a.sock'))).toBe('hello');
    }
    await tsgun.event('worker_exited', 4);
    expect(await getAt(at('a.sock'))).toBe('hello');
    expect(tsgun.lines('listening')).toHaveLength(3);
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it('and has another’s in its place ends the reload, and the service goes on', async () => {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'unix:a.sock', '--bind', '127.0.0.1:0']);
    await tsgun.workers(1);
    unlinkSync(at('a.sock'));
    const other = createServer().listen(at('a.sock'));
    await once(other, 'listening');
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toContain(`unix:${at('a.sock')} is in use`);
    const { url } = await tsgun.event('listening', 2);
    expect(await (await fetch(`${url}/`, { headers: { connection: 'close' } })).text()).toBe('hello');
    await tsgun.stop();
    expect(await connectCode(at('a.sock'))).toBe('connected');
    other.close();
  });
});
