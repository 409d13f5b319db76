import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, isAlive, makeFolder, start, Tsgun } from './harness.ts';

const fib = new URL('../../apps/fib.ts', import.meta.url).pathname;

/** `/slow` answers when the file `go` is there; `/pid` says who answers; anything else is `hello`. */
const slowApp = `
import { existsSync } from 'node:fs'
export default async (env, startResponse) => {
  const isSlow = env.PATH_INFO === '/slow'
  if (isSlow) console.log('parked')
  while (isSlow && !existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  startResponse('200 OK', [['Content-Type', 'text/plain']])
  return [env.PATH_INFO === '/pid' ? String(process.pid) : 'hello']
}
`;

describe('the main job', () => {
  it('serves fibonacci numbers from four workers behind one port', async () => {
    const tsgun = start(fib, ['--workers', '4', '--worker-class', 'async']);
    const pids = await tsgun.workers(4);
    expect(new Set(pids).size).toBe(4);
    expect(await tsgun.get('/30')).toMatchObject({ status: 200, text: 'fib: 832040\n' });
    expect(await tsgun.get('/?n=10')).toMatchObject({ status: 200, text: 'fib: 55\n' });
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.lines('shutdown_finished')).toHaveLength(1);
  });

  it('logs every step of a life as JSON with an event', async () => {
    const tsgun = start(fib, ['--workers', '2']);
    await tsgun.workers(2);
    await tsgun.stop();
    const events = tsgun.log.map(({ event }) => event);
    expect(tsgun.text).toEqual([]);
    expect(new Set(events)).toEqual(
      new Set([
        'master_started',
        'worker_spawned',
        'worker_ready',
        'listening',
        'shutdown_started',
        'worker_exited',
        'shutdown_finished',
      ]),
    );
    expect(tsgun.lines('worker_exited')).toMatchObject([
      { reason: 'shutdown', code: 0 },
      { reason: 'shutdown', code: 0 },
    ]);
  });
});

describe('a worker that dies', () => {
  it('is replaced, and the log says which, why, after how long and how many requests', async () => {
    const tsgun = start(fib, ['--workers', '2']);
    const before = await tsgun.workers(2);
    for (let n = 0; n < 10; n++) await tsgun.get('/1');
    process.kill(before[0]!, 'SIGKILL');
    const exit = await tsgun.event('worker_exited');
    expect(exit).toMatchObject({ pid: before[0], reason: 'killed', signal: 'SIGKILL', code: null });
    expect(exit.uptimeMs).toBeGreaterThan(0);
    expect(exit.requests).toBeTypeOf('number');
    const after = await tsgun.workers(3);
    expect(after).toHaveLength(2);
    expect(after).toContain(before[1]);
    expect(await tsgun.get('/5')).toMatchObject({ text: 'fib: 5\n' });
    await tsgun.stop();
  });

  it('by process.exit in the app is called crashed, and the service goes on', async () => {
    const { path } = makeFolder({
      'app.mjs': `export default (env, startResponse) => {
        if (env.PATH_INFO === '/exit') process.exit(7)
        startResponse('200 OK', []); return ['alive'] }`,
    });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    await tsgun.workers(2);
    await expect(tsgun.get('/exit')).rejects.toThrow();
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'crashed', code: 7 });
    expect(await tsgun.get('/')).toMatchObject({ text: 'alive' });
    await tsgun.workers(3);
    await tsgun.stop();
  });

  it('by an error that nobody caught finishes its requests and is replaced', async () => {
    const { path, write } = makeFolder({
      'app.mjs': `${slowApp}; process.on('SIGTERM', () => {});`,
      'escape.mjs': `import app from './app.mjs'
      export default (env, startResponse) => {
        if (env.PATH_INFO === '/escape') setTimeout(() => { throw new Error('nobody catches me') })
        return app(env, startResponse) }`,
    });
    const tsgun = start('escape.mjs', [], { cwd: path });
    await tsgun.workers(1);
    const slow = tsgun.get('/slow');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    await tsgun.get('/escape');
    const fatal = () => tsgun.log.find(({ level }) => level === 'fatal');
    await tsgun.until(() => fatal() !== undefined, 'the error');
    // Within a second: what is left alone for longer is blamed for the error.
    write('go', '');
    expect(await slow).toMatchObject({ status: 200, text: 'hello' });
    expect(fatal()).toMatchObject({ error: 'nobody catches me' });
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'crashed', code: 1 });
    await tsgun.workers(2);
    await tsgun.stop();
  });

  it('whose loop is blocked past the timeout is called hung, killed and replaced', async () => {
    const { path } = makeFolder({
      'app.mjs': `export default (env, startResponse) => {
        if (env.PATH_INFO === '/hang') for (;;);
        startResponse('200 OK', []); return ['alive'] }`,
    });
    const tsgun = start('app.mjs', ['--workers', '2', '--timeout', '1'], { cwd: path });
    const before = await tsgun.workers(2);
    expect(await tsgun.get('/hang')).toMatchObject({ status: 503 });
    const { pid } = await tsgun.event('worker_hung');
    expect(before).toContain(pid);
    expect(await tsgun.event('worker_exited')).toMatchObject({ pid, reason: 'hung', signal: 'SIGKILL' });
    await tsgun.workers(3);
    expect(await tsgun.get('/')).toMatchObject({ text: 'alive' });
    await tsgun.stop();
  });
});

describe('a reload (HUP)', () => {
  it('replaces every worker and serves the edited app, without losing a request', async () => {
    const app = (text: string) => `enum E { A = '${text}' }
      export default (env: object, startResponse: Function) => { startResponse('200 OK', []); return [E.A] }`;
    const { path, write } = makeFolder({ 'app.ts': app('old') });
    const tsgun = start('app.ts', ['--workers', '2'], { cwd: path });
    const before = await tsgun.workers(2);
    const url = await tsgun.url();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let isOver = false;
    const answers: string[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) answers.push(await getThrough(agent, url));
    });
    write('app.ts', app('new'));
    for (let round = 1; round <= 3; round++) {
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished', round);
    }
    await tsgun.event('worker_exited', 6);
    const seen = answers.length;
    await eventually(() => answers.length > seen + 20);
    isOver = true;
    await Promise.all(load);
    agent.destroy();
    expect(new Set(answers)).toEqual(new Set(['old', 'new']));
    expect(answers.at(-1)).toBe('new');
    expect(tsgun.living().filter((pid) => before.includes(pid))).toEqual([]);
    expect(tsgun.lines('worker_exited').map(({ reason }) => reason)).toEqual(Array(6).fill('reload'));
    await tsgun.stop();
  });

  it('onto an app that throws is given up: the old generation serves, and a later reload works', async () => {
    const good = (text: string) => `export default (e, s) => { s('200 OK', []); return ['${text}'] }`;
    const { path, write } = makeFolder({ 'app.mjs': good('one') });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    const before = await tsgun.workers(2);
    write('app.mjs', 'throw new Error("not today")');
    tsgun.signal('SIGHUP');
    const failed = await tsgun.event('reload_failed');
    expect(failed.error).toMatch(/app\.mjs failed to load: not today/);
    expect(failed.stack).toMatch(/app\.mjs:1/);
    expect(await tsgun.get('/')).toMatchObject({ text: 'one' });
    expect(tsgun.living()).toEqual(before);
    write('app.mjs', good('two'));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    const client = await tsgun.connect();
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.until(/two$/);
    await tsgun.stop();
  });

  it('reads the config file again: workers, and where to listen', async () => {
    const { path, write } = makeFolder({
      'app.mjs': `export default (e, s) => { s('200 OK', []); return ['x'] }`,
      'tsgun.config.json': '{ "workers": 1, "bind": "127.0.0.1:0" }',
    });
    const tsgun = new Tsgun(['app.mjs'], { cwd: path });
    await tsgun.workers(1);
    write('tsgun.config.json', '{ "workers": 3, "bind": "127.0.0.1:0" }');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(tsgun.living().length).toBeGreaterThanOrEqual(3);
    write('tsgun.config.json', '{ "workers": "many" }');
    tsgun.signal('SIGHUP');
    const { error } = await tsgun.event('reload_failed');
    expect(error).toBe(
      'workers: expected a positive whole number up to 1024 or "auto", got "many" (tsgun.config.json:1)',
    );
    expect(await tsgun.get('/')).toMatchObject({ text: 'x' });
    await tsgun.stop();
  });

  it('that is asked for many times while the configuration is read is one, and the log counts the others', async () => {
    const { path } = makeFolder({
      'app.mjs': slowApp,
      'tsgun.config.mjs': `import { existsSync } from 'node:fs';
        while (existsSync('wait')) await new Promise((resolve) => setTimeout(resolve, 10));
        export default {};`,
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    await tsgun.workers(1);
    writeFileSync(join(path, 'wait'), '');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_started');
    for (let count = 0; count < 5; count++) {
      tsgun.signal('SIGHUP');
      // The kernel keeps one signal of a kind, until it is taken.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    rmSync(join(path, 'wait'));
    await tsgun.event('reload_finished');
    const [first, second] = tsgun.lines('reload_started');
    expect(first).toMatchObject({ signal: 'SIGHUP' });
    expect(second!.count).toBeGreaterThan(0);
    expect(second!.msg).toBe(`reloading again: asked for ${second!.count} more times while the configuration was read`);
    expect(tsgun.lines('reload_started')).toHaveLength(2);
    expect(tsgun.lines('worker_spawned').map(({ generation }) => generation)).toEqual([1, 2]);
    await tsgun.stop();
  });
});

describe('a stop', () => {
  it('by TERM finishes the requests that run, then exits 0 and frees the port', async () => {
    const { path, write } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    await tsgun.workers(2);
    const url = await tsgun.url();
    const slow = tsgun.get('/slow');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    write('go', '');
    expect(await slow).toMatchObject({ status: 200, text: 'hello' });
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    const probe = createServer().listen(Number(new URL(url).port), '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
  });

  it('by TERM cuts what overstays graceful-timeout, and says which requests those were', async () => {
    const { path } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--graceful-timeout', '0.5'], { cwd: path });
    await tsgun.workers(1);
    const slow = tsgun.get('/slow').catch((error: Error) => error);
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    expect(await tsgun.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await slow).toBeInstanceOf(Error);
    expect(tsgun.lines('worker_exited')).toMatchObject([{ reason: 'shutdown', code: 0 }]);
    const cut = tsgun.log.find(({ msg }) => msg === 'out of time: requests cut');
    expect(cut).toMatchObject({
      event: 'request_timeout',
      level: 'warn',
      cut: 1,
      stack: 'waiting: it runs no JavaScript',
      requests: [{ method: 'GET', path: '/slow' }],
    });
  });

  it('by a second TERM, later than a second, is at once and has a line of its own', async () => {
    const { path } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--graceful-timeout', '3600'], { cwd: path });
    await tsgun.workers(1);
    const slow = tsgun.get('/slow').catch((error: Error) => error);
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await tsgun.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await slow).toBeInstanceOf(Error);
    expect(tsgun.log.find(({ msg }) => msg.startsWith('asked to stop again'))).toMatchObject({
      event: 'shutdown_started',
      level: 'warn',
      signal: 'SIGTERM',
      workers: 1,
    });
  });

  it.each(['SIGINT', 'SIGQUIT'] as const)('by TERM and then %s is at once', async (signal) => {
    const { path } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--graceful-timeout', '3600'], { cwd: path });
    await tsgun.workers(1);
    const slow = tsgun.get('/slow').catch((error: Error) => error);
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    expect(await tsgun.stop(signal)).toEqual({ code: 0, signal: null });
    expect(await slow).toBeInstanceOf(Error);
  });

  it('by TERM twice within a second, as npm sends it, is one graceful stop', async () => {
    const { path, write } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--log-level', 'debug'], { cwd: path });
    await tsgun.workers(1);
    const slow = tsgun.get('/slow');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    tsgun.signal('SIGTERM');
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('the same signal again')), 'the second TERM');
    write('go', '');
    expect(await slow).toMatchObject({ status: 200, text: 'hello' });
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    expect(tsgun.lines('shutdown_started')).toHaveLength(1);
  });

  it('by Ctrl-C, which the whole process group gets, exits 0', async () => {
    const tsgun = start(fib, ['--workers', '2'], { isDetached: true });
    await tsgun.workers(2);
    process.kill(-tsgun.pid, 'SIGINT');
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    expect(tsgun.lines('worker_exited').map(({ reason }) => reason)).toEqual(['shutdown', 'shutdown']);
    expect(tsgun.text).toEqual([]);
  });

  it('while the workers still boot leaves nothing behind', async () => {
    const { path } = makeFolder({ 'app.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000))' });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    await tsgun.event('worker_spawned', 2);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it('of the master by kill -9 lets the workers finish what they run, and exit by themselves', async () => {
    const { path, write } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    const pids = await tsgun.workers(2);
    const slow = tsgun.get('/slow');
    await tsgun.until(() => tsgun.stdout.includes('parked'), 'the request to be parked');
    tsgun.signal('SIGKILL');
    await eventually(() => pids.filter(isAlive).length === 1);
    write('go', '');
    expect(await slow).toMatchObject({ status: 200, text: 'hello' });
    await eventually(() => !pids.some(isAlive));
  });
});

describe('recycling', () => {
  it('replaces a worker that has served enough, one that serves in its place first', async () => {
    const tsgun = start(fib, ['--max-requests', '20']);
    await tsgun.workers(1);
    for (let count = 0; count < 20; count++) expect(await tsgun.get('/5')).toMatchObject({ text: 'fib: 5\n' });
    const recycled = await tsgun.event('worker_recycled');
    expect(recycled).toMatchObject({ reason: 'max_requests', pid: tsgun.lines('worker_spawned')[0]!.pid });
    expect(tsgun.lines('worker_ready')).toHaveLength(2);
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'max_requests', requests: 20 });
    expect(await tsgun.get('/7')).toMatchObject({ text: 'fib: 13\n' });
    await tsgun.stop();
  });

  it('replaces a worker that has grown too large', async () => {
    const folder = makeFolder({
      'app.mjs': `const kept = [];
      export default (env, start) => {
        if (env.PATH_INFO === '/grow') kept.push(Buffer.alloc(300 * 2 ** 20, 1));
        start('200 OK', []);
        return [String(kept.length)];
      }`,
    });
    const tsgun = start(join(folder.path, 'app.mjs'), ['--max-worker-memory', '200']);
    await tsgun.get('/grow');
    const sizes = { memoryBytes: expect.any(Number), limitBytes: 200 * 2 ** 20 };
    const recycled = await tsgun.event('worker_recycled');
    expect(recycled).toMatchObject({ reason: 'max_memory', ...sizes });
    expect(recycled.memoryBytes).toBeGreaterThan(300 * 2 ** 20);
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'max_memory', ...sizes });
    expect(await tsgun.get('/')).toMatchObject({ text: '0' });
    await tsgun.stop();
  });

  it('replaces a worker that has lived for long enough, one that serves in its place first', async () => {
    const tsgun = start(fib, ['--workers', '2', '--max-worker-lifetime', '1']);
    const first = await tsgun.workers(2);
    await tsgun.event('worker_recycled', 2);
    const recycled = tsgun.lines('worker_recycled').slice(0, 2);
    expect(new Set(recycled.map(({ pid }) => pid))).toEqual(new Set(first));
    expect(recycled.map(({ reason }) => reason)).toEqual(['max_lifetime', 'max_lifetime']);
    await tsgun.event('worker_exited', 2);
    for (const { pid, reason, uptimeMs } of tsgun.lines('worker_exited').slice(0, 2)) {
      expect(first).toContain(pid);
      expect(reason).toBe('max_lifetime');
      expect(uptimeMs).toBeGreaterThanOrEqual(1000);
    }
    expect(fewestReady(tsgun)).toBe(2);
    expect(await tsgun.get('/7')).toMatchObject({ text: 'fib: 13\n' });
    await tsgun.stop();
    expect(tsgun.lines('spawn_delayed')).toEqual([]);
  });
});

/** From the moment when two were ready, by the log; one that is told to leave counts no longer. */
function fewestReady(tsgun: Tsgun): number {
  const changes: Record<string, number> = { worker_ready: 1, worker_recycled: -1 };
  let ready = 0;
  const counts = tsgun.log.map(({ event = '' }) => (ready += changes[event] ?? 0));
  return Math.min(...counts.slice(counts.indexOf(2)));
}

describe('the title of a process', () => {
  it.skipIf(process.platform !== 'linux')('has the number and the generation of a worker, and the app', async () => {
    const { path } = makeFolder({ 'app.mjs': slowApp });
    const tsgun = start('app.mjs', ['--workers', '2', '--proc-name', 'shop'], { cwd: path });
    const titleOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replace(/\0+$/, '');
    expect((await tsgun.workers(2)).map(titleOf)).toEqual([
      'shop: worker 1, generation 1 [app.mjs]',
      'shop: worker 2, generation 1 [app.mjs]',
    ]);
    expect(titleOf(tsgun.pid)).toBe('shop: master [app.mjs]');
    tsgun.signal('SIGHUP');
    const next = await tsgun.event('worker_ready', 3);
    expect(next).toMatchObject({ worker: 3, generation: 2 });
    const pid = tsgun.lines('worker_spawned')[2]!.pid;
    expect(titleOf(pid)).toBe('shop: worker 3, generation 2 [app.mjs]');
    await tsgun.event('reload_finished');
    await tsgun.stop();
  });
});

describe('log files', () => {
  it('are opened anew by USR1, in the master and in the workers, before and after', async () => {
    const folder = makeFolder({
      'app.mjs': `export default (env, start) => {
        env['wsgi.errors'].write('app says ' + env.PATH_INFO + '\\n');
        start('200 OK', []);
        return [];
      }`,
    });
    const file = join(folder.path, 'error.log');
    const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    const tsgun = start(join(folder.path, 'app.mjs'), ['--error-logfile', file]);
    await eventually(() => read(file).includes('"listening"'));
    const url = /"url":"([^"]+)"/.exec(read(file))![1];
    await fetch(`${url}/before`);
    renameSync(file, `${file}.1`);
    tsgun.signal('SIGUSR1');
    await eventually(() => read(file).includes('log files reopened'));
    await eventually(async () => {
      await fetch(`${url}/after`);
      return read(file).includes('app says /after');
    });
    expect(read(`${file}.1`)).toContain('app says /before');
    await tsgun.stop();
    expect(read(file)).toContain('shutdown_finished');
  });
});

describe('the worker count', () => {
  it('goes to none by WINCH; the master stays, and HUP brings the workers back', async () => {
    // A session of its own: in a terminal's foreground, WINCH means only that its window was resized.
    const tsgun = start(fib, ['--workers', '2'], { isDetached: true });
    await tsgun.workers(2);
    tsgun.signal('SIGWINCH');
    await tsgun.event('worker_exited', 2);
    expect(tsgun.lines('worker_exited')).toMatchObject([{ reason: 'scaled_down' }, { reason: 'scaled_down' }]);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(tsgun.living()).toHaveLength(2);
    expect(await tsgun.get('/7')).toMatchObject({ text: 'fib: 13\n' });
    await tsgun.stop();
  });

  it('is one more than configured after a TTIN that comes while a reload reads the configuration', async () => {
    const { path, write } = makeFolder();
    write(
      'tsgun.config.mjs',
      `import { existsSync } from 'node:fs';
      while (existsSync('wait')) await new Promise((resolve) => setTimeout(resolve, 10));
      export default { workers: 1 };`,
    );
    const tsgun = start(fib, [], { cwd: path });
    await tsgun.workers(1);
    write('wait', '');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_started');
    tsgun.signal('SIGTTIN');
    await tsgun.event('scaled');
    rmSync(join(path, 'wait'));
    expect(await tsgun.event('reload_finished')).toMatchObject({ workers: 2 });
    expect(tsgun.lines('scaled')).toMatchObject([{ from: 1, workers: 2 }]);
    await tsgun.until(() => tsgun.living().length === 2, 'the end of the old worker');
    await tsgun.stop();
  });

  it('goes up by TTIN and down by TTOU, never below one', async () => {
    const tsgun = start(fib);
    await tsgun.workers(1);
    tsgun.signal('SIGTTIN');
    expect(await tsgun.workers(2)).toHaveLength(2);
    tsgun.signal('SIGTTOU');
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'scaled_down' });
    tsgun.signal('SIGTTOU');
    await tsgun.until(
      () => tsgun.log.filter(({ msg }) => msg === 'worker count changed').length === 3,
      'the third change',
    );
    expect(tsgun.living()).toHaveLength(1);
    expect(await tsgun.get('/7')).toMatchObject({ text: 'fib: 13\n' });
    await tsgun.stop();
  });
});

/** An idle connection may end as a request goes out on it; Node says which those are. Then once more. */
function getThrough(agent: Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    })
      .on('error', (error) => (asked.reusedSocket ? resolve(getThrough(agent, url)) : reject(error)))
      .end();
  });
}
