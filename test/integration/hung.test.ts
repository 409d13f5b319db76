/** What the log says of a worker whose main thread stands still, and what is left alone. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { eventually, isAlive, type LogLine, makeFolder, start, Tsgun } from './harness.ts';
import { shareServer } from './shared.ts';

/** `block` runs for GET /block; the line numbers in the tests count from its first line, 3. */
const app = (block: string, before = '') => `import { pbkdf2Sync } from 'node:crypto';${before}
export default async function app(env, startResponse) {
  if (env.PATH_INFO === '/block') ${block}
  startResponse('200 OK', []);
  return ['hello'];
}
function pause(ms) { for (const end = Date.now() + ms; Date.now() < end; ) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); }
`;

/** An endless loop that leaves the processors to others. */
const loop = 'for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);';

// Who pauses in the midst of the time between a stall and a hang leaves both sides as much of it as there is.

/** Sends a request that may never be answered. */
function send(tsgun: Tsgun, path: string): void {
  tsgun.get(path).catch(() => {});
}

function stalls(tsgun: Tsgun): LogLine[] {
  return tsgun.log.filter(({ msg }) => msg === 'worker stalled');
}

/**
 * Of a worker that the machine does not run while it is asked, there is no stack: then once more.
 * @returns the line of a worker that hangs because of a request
 */
async function hang(tsgun: Tsgun, path: string, workers: number): Promise<LogLine> {
  return hangBy(tsgun, () => send(tsgun, path), workers);
}

async function hangBy(tsgun: Tsgun, act: () => void, workers: number): Promise<LogLine> {
  for (;;) {
    const before = tsgun.lines('worker_hung').length;
    await tsgun.event('worker_ready', workers + before);
    act();
    const line = await tsgun.event('worker_hung', before + 1);
    if (String(line.stack).startsWith('at ')) return line;
  }
}

async function stall(tsgun: Tsgun): Promise<LogLine> {
  await tsgun.until(() => stalls(tsgun).length > 0, 'a stall');
  return stalls(tsgun)[0]!;
}

describe('a worker in an endless loop', () => {
  const loops = [
    'while (true) {}',
    '{ const loop = () => Promise.resolve().then(loop); await loop(); }',
    '{ const loop = () => process.nextTick(loop); await new Promise(loop); }',
    `/^(a+)+$/.test('a'.repeat(40) + 'b');`,
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  ];

  describe('has in the log', () => {
    const routes = loops.map((each, index) => `  if (env.PATH_INFO === '/${index}') ${each}\n`);
    const text = `export default async function app(env, startResponse) {\n${routes.join('')}  startResponse('200 OK', []); return ['hello']; }`;
    const shared = shareServer({ 'app.mjs': text }, 'app.mjs', ['--timeout', '1'], 2);

    it.each(loops.map((each, index) => [each, index] as const))('function, file, line and request of %j', (_, index) =>
      expectFound(shared.tsgun, `/${index}`, `app\\.mjs:${2 + index}`),
    );
  });

  it('of TypeScript has in the log function, file, line and request', async () => {
    const { path } = makeFolder({ 'app.ts': app('{\n    let n: number = 0;\n    while (true) n++;\n  }') });
    const tsgun = start('app.ts', ['--workers', '2', '--timeout', '1'], { cwd: path });
    await expectFound(tsgun, '/block', 'app\\.ts:5');
    await tsgun.stop();
  });

  async function expectFound(tsgun: Tsgun, path: string, place: string): Promise<void> {
    const hung = await hang(tsgun, `${path}?a=1`, 2);
    expect(hung).toMatchObject({ level: 'error', worker: expect.any(Number), generation: 1 });
    expect(hung.silentMs).toBeGreaterThanOrEqual(1000);
    expect(hung.stack).toMatch(new RegExp(`at (app|loop) \\(.*/${place}:\\d+\\)`));
    expect(hung.requests).toEqual([{ method: 'GET', path, ms: expect.any(Number) }]);
    const exited = () => tsgun.lines('worker_exited').find(({ pid }) => pid === hung.pid);
    await tsgun.until(() => exited() !== undefined, 'its end');
    expect(exited()).toMatchObject({ reason: 'hung', signal: 'SIGKILL' });
    await tsgun.event('worker_ready', 2 + tsgun.lines('worker_hung').length);
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
  }

  it('of compiled code with a source map: the log has the line of the source too', async () => {
    const { path, write } = makeFolder({});
    const code = `export default function app(env, startResponse) {\n  ${loop}\n}\n//# sourceMappingURL=app.js.map\n`;
    // Line 2 of the code is line 42 of the source.
    const mappings = `AAAA;AAyCA`;
    write('package.json', '{ "type": "module" }');
    write('app.js', code);
    write('app.js.map', JSON.stringify({ version: 3, sources: ['app.ts'], names: [], mappings }));
    const tsgun = start('app.js', ['--timeout', '1'], { cwd: path });
    const { stack } = await hang(tsgun, '/', 1);
    expect(stack).toMatch(/^at app \(.*\/app\.ts:42:1, compiled to .*\/app\.js:2:\d+\)$/m);
    await tsgun.stop();
  });

  it('before its first request: the log has the stack', async () => {
    // While it boots, silence is no hang.
    const early = `import { rmSync } from 'node:fs'; setInterval(function early() { try { rmSync('go') } catch { return } ${loop} }, 20);`;
    const { path, write } = makeFolder({ 'app.mjs': `${early}\n${app('0')}` });
    const tsgun = start('app.mjs', ['--timeout', '1'], { cwd: path });
    const { stack } = await hangBy(tsgun, () => write('go', ''), 1);
    expect(stack).toMatch(/^at early \(.*\/app\.mjs:1:\d+\)/);
    await tsgun.stop();
  });

  it.each([
    [
      'while it drains',
      app(
        `{\n    console.log('at work');\n    while (!existsSync('go')) await setTimeout(10);\n    ${loop}\n  }`,
        "import { existsSync } from 'node:fs'; import { setTimeout } from 'node:timers/promises';",
      ),
      6,
    ],
    [
      'in its own code for the end',
      app(`console.log('at work');`, `process.on('SIGTERM', function end() { ${loop} });`),
      1,
    ],
  ])('%s is called hung too, long before the graceful timeout', async (_, text, line) => {
    const { path, write } = makeFolder({ 'app.mjs': text });
    const tsgun = start('app.mjs', ['--timeout', '1', '--graceful-timeout', '3600'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    send(tsgun, '/block');
    await tsgun.until(() => tsgun.stdout.includes('at work'), 'the request');
    process.kill(pid!, 'SIGTERM');
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('SIGTERM: finishing')), 'the drain');
    write('go', '');
    const stack = expect.stringMatching(new RegExp(`app\\.mjs:${line}:`));
    expect(await tsgun.event('worker_hung')).toMatchObject({ pid, stack });
    expect(await tsgun.event('worker_exited')).toMatchObject({ pid, signal: 'SIGKILL' });
    await tsgun.stop();
  });

  it('whose master has died ends by itself', async () => {
    const { path } = makeFolder({ 'app.mjs': app(`{\n    console.log('at work');\n    ${loop}\n  }`) });
    const tsgun = start('app.mjs', ['--timeout', '3600', '--graceful-timeout', '1'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    send(tsgun, '/block');
    await tsgun.until(() => tsgun.stdout.includes('at work'), 'the request');
    tsgun.signal('SIGKILL');
    await eventually(() => !isAlive(pid!));
  });
});

describe('the clients of a worker that is killed because it hangs', () => {
  const unavailable = /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\nConnection: close\r\n\r\n.+\n$/s;
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const writes = "import { writeSync } from 'node:fs';";
  const blocks = `{ writeSync(1, 'blocked'); ${loop} }`;

  it('get a 503 if their answers had not begun, and no reset', async () => {
    const { path } = makeFolder({
      'app.mjs': app(
        `${blocks}
  if (env.PATH_INFO === '/read') for await (const _ of env['wsgi.input']);
  if (env.PATH_INFO === '/wait' || env.PATH_INFO === '/read') await new Promise(() => {});
  if (env.PATH_INFO === '/begun') {
    startResponse('200 OK', [['Content-Length', '10']])('begun');
    await new Promise(() => {});
  }`,
        writes,
      ),
    });
    const logged = ['--access-logfile', 'access', '--access-logformat', 'json'];
    const options = ['--timeout', '2', '--admin-bind', '127.0.0.1:0', ...logged];
    const tsgun = start('app.mjs', options, { cwd: path });
    const [pid] = await tsgun.workers(1);
    const clients = await Promise.all([0, 1, 2, 3, 4].map(() => tsgun.connect()));
    const [waiting, begun, kept, blocking, reading] = clients as [Client, Client, Client, Client, Client];
    waiting.send(request('/wait'));
    begun.send(request('/begun'));
    kept.send(request('/'));
    await Promise.all([begun.until(/begun/), kept.until(/hello/)]);
    reading.send('POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    await reading.until(/100 Continue/);
    reading.send('body');
    // An answer behind it: by then the worker has read the body.
    await tsgun.ask('/');
    const { admin } = tsgun.log.find((line) => line.admin !== undefined)!;
    const scrape = async () =>
      (await fetch(`http://${String(admin)}/metrics`, { headers: { connection: 'close' } })).text();
    const answered = 'tsgun_requests_total{status="2xx",worker_class="async"} 2\n';
    await eventually(async () => (await scrape()).includes(answered));
    blocking.send(request('/block'));
    await tsgun.until(() => tsgun.stdout.includes('blocked'), 'the worker to be blocked');
    // The worker never reads this one.
    kept.send(request('/unread?a=1'));
    await Promise.all(clients.map(({ closed }) => closed));
    expect(blocking.received).toMatch(unavailable);
    expect(waiting.received).toMatch(unavailable);
    const [, final] = reading.received.split(/(?<=100 Continue\r\n\r\n)/);
    expect(final).toMatch(unavailable);
    const [, second] = kept.received.split(/(?<=hello\S*)(?=HTTP)/);
    expect(second).toMatch(unavailable);
    expect(begun.received).toMatch(/^HTTP\/1\.1 200 .*begun$/s);
    expect(clients.map(({ socket }) => socket.errored)).toEqual([null, null, null, null, null]);
    expect(await tsgun.event('worker_exited')).toMatchObject({ pid, reason: 'hung' });
    const metrics = await scrape();
    // The two that were answered before the loop, and the four in its place. An answer that was cut is not known.
    expect(metrics).toContain(answered);
    expect(metrics).toContain('tsgun_requests_total{status="5xx",worker_class="async"} 4\n');
    expect(metrics).toContain('tsgun_request_duration_seconds_count 6\n');
    const isReplaced = () => tsgun.log.some((line) => line.event === 'worker_ready' && line.pid !== pid);
    await tsgun.until(isReplaced, 'the replacement');
    await tsgun.stop();
    // The replacement has written the lines of the four, in the name of the worker that is gone.
    const lines = readFileSync(join(path, 'access'), 'utf8').trimEnd().split('\n');
    const refused = lines
      .map((line) => JSON.parse(line) as { status: number; path: string })
      .filter(({ status }) => status === 503);
    const line = (method: string, target: string, query = '') => ({
      ...{ pid, worker: 1, method, path: target, query, protocol: 'HTTP/1.1', outcome: 'refused' },
      remoteAddr: '127.0.0.1',
      durationMs: expect.any(Number),
      bytes: Number(/Content-Length: (\d+)/.exec(waiting.received)![1]),
    });
    expect(refused.sort((one, other) => one.path.localeCompare(other.path))).toMatchObject([
      line('GET', '/block'),
      line('POST', '/read'),
      line('GET', '/unread', 'a=1'),
      line('GET', '/wait'),
    ]);
  });

  it('get a 503 from a sync worker too; who waits in the accept queue is served by the next', async () => {
    const { path } = makeFolder({ 'app.mjs': app(blocks, writes) });
    const tsgun = start('app.mjs', ['--timeout', '1', '-k', 'sync'], { cwd: path });
    await tsgun.workers(1);
    const blocking = await tsgun.connect();
    blocking.send(request('/block'));
    await tsgun.until(() => tsgun.stdout.includes('blocked'), 'the worker to be blocked');
    const next = tsgun.ask('/');
    await blocking.closed;
    expect(blocking.received).toMatch(unavailable);
    expect(blocking.socket.errored).toBeNull();
    expect(await next).toBe('hello');
    await tsgun.stop();
  });
});

describe('a worker in native code', () => {
  const native = `pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512');`;

  it('is called hung, and the log says why there is no stack', async () => {
    const { path } = makeFolder({ 'app.mjs': app(native) });
    const tsgun = start('app.mjs', ['--timeout', '1'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    send(tsgun, '/block');
    expect(await tsgun.event('worker_hung')).toMatchObject({ pid, stack: expect.stringContaining('in native code') });
    await tsgun.event('worker_ready', 2);
    await tsgun.stop();
  });

  const apps = {
    wsgi: (block: string) => `export default async (env, startResponse) => {
      if (env.PATH_INFO === '/block') ${block}
      if (env.PATH_INFO === '/wait') await new Promise(() => {});
      startResponse('200 OK', []);
      return ['hello'];
    }`,
    node: (block: string) => `export default async (req, res) => {
      if (req.url.startsWith('/block')) ${block}
      if (req.url === '/wait') await new Promise(() => {});
      res.end('hello');
    }`,
    fetch: (block: string) => `export default { async fetch({ url }) {
      if (url.includes('/block')) ${block}
      if (url.endsWith('/wait')) await new Promise(() => {});
      return new Response('hello');
    } }`,
  };
  const blocks = {
    'a child process': `{ await 0; execSync('sleep 60') }`,
    'a pipe that nobody writes to': `readFileSync('fifo')`,
  };

  it.each([
    ['wsgi', 'async', 'a child process'],
    ['node', 'async', 'a pipe that nobody writes to'],
    ['fetch', 'async', 'a child process'],
    ['wsgi', 'sync', 'a pipe that nobody writes to'],
    ['node', 'sync', 'a child process'],
  ] as const)('names the requests that ran: %s, %s, waiting for %s', async (name, workerClass, block) => {
    const modules = `import { execSync } from 'node:child_process'; import { readFileSync } from 'node:fs';\n`;
    const { path } = makeFolder({ 'app.mjs': modules + apps[name](blocks[block]) });
    execFileSync('mkfifo', [join(path, 'fifo')]);
    const tsgun = start('app.mjs', ['--timeout', '1', '-k', workerClass], { cwd: path });
    await tsgun.workers(1);
    // What is answered is not named.
    for (const _ of Array(3)) expect(await tsgun.ask('/done')).toBe('hello');
    if (workerClass === 'async') send(tsgun, '/wait');
    send(tsgun, '/block?a=1');
    const { requests } = await tsgun.event('worker_hung');
    const names = (requests as { method: string; path: string }[]).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names)).toEqual(new Set(workerClass === 'async' ? ['GET /wait', 'GET /block'] : ['GET /block']));
    await tsgun.event('worker_ready', 2);
    await tsgun.stop();
  });

  it('names the raw connections that were open', async () => {
    const { path } = makeFolder({
      'app.mjs': `import { execSync } from 'node:child_process';
        export const tcp = (socket) => socket.on('data', () => execSync('sleep 60'));`,
    });
    const tsgun = new Tsgun(['app.mjs:tcp', '--bind', '127.0.0.1:0', '--timeout', '1'], { cwd: path });
    await tsgun.workers(1);
    const client = await tsgun.connect();
    client.send('go');
    const { requests } = await tsgun.event('worker_hung');
    expect(requests).toMatchObject([{ method: 'TCP', path: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }]);
    await client.closed;
    await tsgun.stop();
  });

  it('that comes back in time is shown where it comes back to', async () => {
    const { path } = makeFolder({
      'app.mjs': app(`execSync('sleep 2');`, ` import { execSync } from 'node:child_process';`),
    });
    const tsgun = start('app.mjs', ['--timeout', '3'], { cwd: path });
    await tsgun.workers(1);
    while (stalls(tsgun).length === 0) expect(await tsgun.get('/block')).toMatchObject({ text: 'hello' });
    const { stack } = await stall(tsgun);
    expect(stack).toMatch(/at execSync \(.*\n.*at app \(.*\/app\.mjs:3:/);
    expect(tsgun.lines('worker_hung')).toEqual([]);
    await tsgun.stop();
  });
});

describe('a stall of a third of the timeout', () => {
  it('is a warning, once per stall, with the stack and the requests', async () => {
    const { path } = makeFolder({ 'app.mjs': app('pause(2000);') });
    const tsgun = start('app.mjs', ['--timeout', '3'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    // A watchdog that gets no CPU time itself excuses the worker: then there is no line for that stall.
    let blocks = 0;
    for (; stalls(tsgun).length < 2; blocks++) await tsgun.get('/block');
    expect(stalls(tsgun).length).toBeLessThanOrEqual(blocks);
    expect(stalls(tsgun)[1]).toMatchObject({ level: 'warn', pid, requests: [{ method: 'GET', path: '/block' }] });
    expect(stalls(tsgun)[1]).not.toHaveProperty('event');
    expect(stalls(tsgun)[1]!.stack).toMatch(/^at pause \(.*\/app\.mjs:7:.*\nat app \(.*\/app\.mjs:3:/);
    expect(tsgun.living()).toEqual([pid]);
    await tsgun.stop();
  });

  it('and even a hang are left alone with a timeout of 0', async () => {
    const { path } = makeFolder({ 'app.mjs': app('pause(2000);') });
    const tsgun = start('app.mjs', ['--timeout', '0'], { cwd: path });
    await tsgun.workers(1);
    await tsgun.get('/block');
    expect([...stalls(tsgun), ...tsgun.lines('worker_hung')]).toEqual([]);
    await tsgun.stop();
  });
});

describe('no worker is called hung', () => {
  const expectQuiet = async (tsgun: Tsgun, pid: number) => {
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    expect(tsgun.lines('worker_hung')).toEqual([]);
    expect(tsgun.living()).toEqual([pid]);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  };

  describe('with a timeout of a second', () => {
    const shared = shareServer(
      {
        'app.mjs': `import { Worker } from 'node:worker_threads';
          export default async function app(env, startResponse) {
            if (env.PATH_INFO === '/await') await Promise.all(Array.from({ length: 10_000 }, () => new Promise((done) => setTimeout(done, 2500))));
            if (env.PATH_INFO === '/spin') {
              const thread = new Worker('while (true);', { eval: true });
              setTimeout(() => thread.terminate(), 1500);
              await new Promise((go) => thread.once('exit', go));
            }
            startResponse('200 OK', []);
            return ['hello'];
          }`,
      },
      'app.mjs',
      ['--timeout', '1'],
    );

    const expectSame = async () => {
      expect(await shared.tsgun.get('/')).toMatchObject({ text: 'hello' });
      expect(shared.tsgun.lines('worker_hung')).toEqual([]);
      expect(shared.tsgun.lines('worker_spawned')).toHaveLength(1);
    };

    it.each([
      ['ten thousand slow awaits', '/await'],
      ['a thread of the app’s own that spins', '/spin'],
    ])('for %s', async (_, path) => {
      expect(await shared.tsgun.get(path)).toMatchObject({ text: 'hello' });
      await expectSame();
    });

    it('for having been suspended', async () => {
      const { tsgun } = shared;
      const [pid] = tsgun.living();
      process.kill(pid!, 'SIGSTOP');
      await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('worker suspended')), 'the suspension');
      process.kill(pid!, 'SIGCONT');
      await expectSame();
    });
  });

  it('for an app that replaces the clock and the timers', async () => {
    const fake = `
      globalThis.setInterval = globalThis.setTimeout = globalThis.setImmediate = () => ({ unref() {}, ref() {} });
      globalThis.Date = class extends Date { constructor() { super(0) } static now() { return 0 } };`;
    const { path } = makeFolder({ 'app.mjs': `${fake}\n${app('0')}` });
    const tsgun = start('app.mjs', ['--timeout', '1'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await expectQuiet(tsgun, pid!);
  });

  it('for standing in a debugger, and the debugger keeps it', async () => {
    const debug = `{
    const { Worker } = await import('node:worker_threads');
    new Worker(\`
      const session = new (require('node:inspector').Session)();
      session.connectToMainThread();
      let hasResumed = false;
      session.on('Debugger.resumed', () => {
        require('node:fs').writeSync(1, hasResumed ? 'kept' : 'taken away');
        process.exit();
      });
      session.on('Debugger.paused', () => setTimeout(() => {
        hasResumed = true;
        session.post('Debugger.resume');
      }, 4000));
      session.post('Debugger.enable');
      session.post('Debugger.pause');
      // What keeps it alive.
      setInterval(() => {}, 1000);
    \`, { eval: true });
    for (const end = Date.now() + 100; Date.now() < end; );
  }`;
    const { path } = makeFolder({ 'app.mjs': app(debug) });
    // A worker that the machine does not run for a third of that is looked at, and two that stop it at once resume it at once.
    const tsgun = start('app.mjs', ['--timeout', '3'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    await tsgun.get('/block');
    await tsgun.until(() => tsgun.stdout !== '', 'the debugger');
    expect(tsgun.stdout).toBe('kept');
    await expectQuiet(tsgun, pid!);
  });
});

describe('the watchdog', () => {
  it('leaves an inspector session of the app’s own as it was', async () => {
    const session = `
import { Session } from 'node:inspector';
const session = new Session();
session.connect();
session.post('Profiler.enable');`;
    const stop = `{
    session.post('Profiler.start');
    pause(2000);
    await new Promise((go) => setTimeout(go, 300));
    const profile = await new Promise((take) => session.post('Profiler.stop', (error, result) => take(error ?? result.profile)));
    startResponse('200 OK', []);
    return [String(profile.nodes.some(({ callFrame }) => callFrame.functionName === 'pause'))];
  }`;
    const { path } = makeFolder({ 'app.mjs': app(stop, session) });
    const tsgun = start('app.mjs', ['--timeout', '3'], { cwd: path });
    await tsgun.workers(1);
    // A watchdog that gets no CPU time itself excuses the worker, and looks at nothing.
    while (stalls(tsgun).length === 0) expect(await tsgun.get('/block')).toMatchObject({ text: 'true' });
    await tsgun.stop();
  });

  it('does not hold up an app that exits, even out of a stall', async () => {
    const { path } = makeFolder({ 'app.mjs': app('{ pause(2000); process.exit(7); }') });
    const tsgun = start('app.mjs', ['--timeout', '3'], { cwd: path });
    await tsgun.workers(1);
    send(tsgun, '/block');
    expect(await tsgun.event('worker_exited')).toMatchObject({ code: 7, reason: 'crashed' });
    await tsgun.stop();
  });
});
