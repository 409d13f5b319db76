/** The threaded class: what a thread may do to itself, and what nobody else notices of it. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { eventually, makeFolder, type StartOptions, start, type Tsgun } from '../integration/harness.ts';

const threaded = (app: string, args: readonly string[], options: StartOptions) =>
  start(app, ['--worker-class', 'threaded', ...args], options);

/** In TypeScript with types that go away, so that a line in a stack is one of the source. */
const app = `import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread, parentPort, threadId } from 'node:worker_threads';

interface Unneeded {
  name: string;
}
if (isMainThread) throw new Error('loaded in the main thread');
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function waitFor(file: string): void {
  while (!existsSync(file)) Atomics.wait(sleeper, 0, 0, 5);
}

function runInCircles(): never {
  for (;;) Math.random(); // line 15
}

async function app(env: Record<string, string>, startResponse: Function): Promise<string[]> {
  const query = env.QUERY_STRING;
  switch (env.PATH_INFO) {
    case '/circles': runInCircles();
    case '/exit': process.exit(3);
    case '/escape': setTimeout(() => { throw new Error('escaped'); }); await new Promise(() => {});
    case '/rejection': void Promise.reject(new Error('unhandled')); await new Promise(() => {});
    case '/after': setTimeout(runInCircles); break;
    case '/post': for (const junk of [null, undefined, 7, ['answer', 1, 31, {}]]) parentPort!.postMessage(junk); break;
    case '/close': parentPort!.removeAllListeners(); parentPort!.close(); break;
    case '/memory': { const all: unknown[] = []; for (;;) all.push(new Array(10_000).fill(query)); }
    case '/wait': env['wsgi.errors'].write('waiting\\n'); waitFor(query); break;
    case '/meet': writeFileSync(query + threadId, ''); waitFor(query + threadId); break;
    case '/work': {
      env['tsgun.extendDeadline'](20);
      Atomics.wait(sleeper, 0, 0, 3000);
    }
  }
  startResponse('200 OK', []);
  return ['thread ' + threadId + ' of ' + process.pid];
}
export default app;
`;

const open = (args: readonly string[], options: StartOptions = {}) => {
  const folder = makeFolder({ 'app.ts': app });
  return { folder, tsgun: threaded('app.ts', args, { cwd: folder.path, ...options }) };
};
const said = (tsgun: Tsgun, text: string, count = 1) =>
  tsgun.until(() => tsgun.log.filter(({ msg }) => msg.includes(text)).length >= count, text);
/** The worker that there was at first, and no other, has served. */
const stop = async (tsgun: Tsgun) => {
  expect(tsgun.lines('worker_spawned')).toHaveLength(1);
  expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
};

it('an app that reads on after its answer is told that the rest does not come, and its thread is free', async () => {
  const folder = makeFolder({
    'app.mjs': `export default async (req, res) => {
      res.end('accepted');
      if (req.method === 'POST') await req.toArray().catch((error) => console.error('lost: ' + error.code));
    };`,
  });
  const args = ['-k', 'threaded', '--threads', '1', '--interface', 'node', '--buffer-body', '0'];
  const tsgun = start('app.mjs', args, { cwd: folder.path });
  const client = await tsgun.connect();
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\nabc');
  await client.until(/accepted$/);
  await tsgun.until(() => tsgun.text.includes('lost: ERR_STREAM_PREMATURE_CLOSE'), 'the loss');
  expect(await tsgun.ask()).toBe('accepted');
  client.send('x'.repeat(199_997));
  expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(/accepted$/);
  expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
});

describe("the app's own end of its thread", () => {
  it('is its own: what it posts there, and that it closes it, disturbs nobody', async () => {
    const { tsgun } = open(['--threads', '1', '--request-timeout', '5']);
    for (const path of ['/post', '/', '/close', '/', '/']) expect((await tsgun.get(path)).status).toBe(200);
    expect(tsgun.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    await stop(tsgun);
  });
});

/** A server for all tests of a group: the worker that there was at first, and no other, serves them. */
function shared(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const folder = makeFolder({ 'app.ts': app }, true);
  const group = { folder, tsgun: undefined as unknown as Tsgun };
  beforeAll(async () => {
    group.tsgun = threaded('app.ts', args, { cwd: folder.path, env, isShared: true });
    await group.tsgun.workers(1);
  });
  afterAll(async () => {
    // The last test may have stopped it.
    if (group.tsgun.process.exitCode === null) await stop(group.tsgun);
    rmSync(folder.path, { recursive: true });
  });
  return group;
}

describe('with a limit of two seconds for a request', () => {
  const group = shared(['--threads', '2', '--request-timeout', '2']);
  const bothAnswer = () => eventually(async () => (await threadsOf(group.tsgun)).length === 2);

  it('what an app leaves behind holds its thread, but no request: another thread takes it, and the held one is replaced', async () => {
    const { tsgun } = group;
    await bothAnswer();
    expect((await tsgun.get('/after')).status).toBe(200);
    for (let count = 0; count < 20; count++) expect((await tsgun.get('/')).status).toBe(200);
    await said(tsgun, 'a thread worked on for too long');
    const { stack } = tsgun.log.find(({ msg }) => msg.includes('worked on for too long'))!;
    expect(stack).toMatch(/runInCircles \(.*app\.ts:15:/);
  });

  it('a request that runs in circles is answered 504; the log says in which line, and the others notice nothing', async () => {
    const { tsgun } = group;
    await bothAnswer();
    const runaway = tsgun.get('/circles');
    let isOver = false;
    void runaway.finally(() => (isOver = true));
    for (let answered = 0; answered < 20; answered++) expect((await tsgun.get('/')).status).toBe(200);
    expect(isOver).toBe(false);
    expect((await runaway).status).toBe(504);
    const line = await tsgun.event('request_timeout');
    expect(line).toMatchObject({ method: 'GET', path: '/circles', outcome: 'answered 504' });
    expect(line.stack).toMatch(/^at (random|runInCircles) /);
    expect(line.stack).toMatch(/at runInCircles \(.*app\.ts:15:\d+\)\nat .*app\.ts:21:/);
  });

  it('a request is ended also when its client has not waited', async () => {
    const { tsgun } = group;
    const client = await tsgun.connect();
    client.send('GET /wait?never HTTP/1.1\r\nHost: h\r\n\r\n');
    await said(tsgun, 'waiting');
    client.socket.destroy();
    expect(await tsgun.event('request_timeout', 2)).toMatchObject({ path: '/wait' });
    // What comes before the new thread is there waits for it, and has no more time than any other.
    await eventually(async () => (await tsgun.get('/')).status === 200);
  });

  it('a request gets the time that it asks for, though it never yields', async () => {
    expect((await group.tsgun.get('/work')).status).toBe(200);
  });
});

describe('requests that run in circles', () => {
  it('can do so as often as they like: there are as many threads as before', async () => {
    const { tsgun } = open(['--threads', '2', '--request-timeout', '0.2']);
    const [pid] = await tsgun.workers(1);
    const circle = async () => {
      const both = await Promise.all([tsgun.get('/circles'), tsgun.get('/circles')]);
      expect(both.map(({ status }) => status)).toEqual([504, 504]);
    };
    await circle();
    await eventually(async () => (await threadsOf(tsgun)).length === 2);
    // Only now: the thread of the watchdog starts when the worker is ready.
    const before = readdirSync(`/proc/${pid}/task`).length;
    for (let round = 1; round < 5; round++) await circle();
    await tsgun.event('request_timeout', 10);
    await eventually(async () => (await threadsOf(tsgun)).length === 2);
    await eventually(() => readdirSync(`/proc/${pid}/task`).length <= before);
    await stop(tsgun);
  });
});

const threadEnded = 'a thread ended: it is being replaced';
const isNode24 = process.versions.node.startsWith('24.');

describe('a thread that dies', () => {
  const cache = makeFolder({}, true);
  afterAll(() => rmSync(cache.path, { recursive: true }));
  const env = { NODE_OPTIONS: '--max-old-space-size=96', XDG_CACHE_HOME: join(cache.path, 'empty') };
  const group = shared(['--threads', '2'], env);

  it('that has compiled an app takes the compiler along when it ends, and nothing else', async () => {
    const { tsgun, folder } = group;
    for (let count = 0; count < 6; count++) {
      // A source that was never seen: each new thread compiles it.
      folder.write('app.ts', `${app}\n// ${count}`);
      expect((await tsgun.get('/exit')).status).toBe(500);
      await eventually(async () => (await threadsOf(tsgun)).length === 2);
    }
    expect(tsgun.lines('worker_exited')).toEqual([]);
  });

  it.each([
    ['/exit', 'the app ended its thread with code 3'],
    ['/escape', 'escaped'],
    ['/rejection', 'unhandled'],
    // Node 24's V8 ends the whole process when a thread runs out of memory; the worker is replaced then.
    ...(isNode24 ? [] : [['/memory', 'memory']]),
  ] as [string, string][])('of %s costs its request a 500, and is replaced', async (path, error) => {
    const { tsgun } = group;
    let before: string[] = [];
    await eventually(async () => {
      before = await threadsOf(tsgun);
      return before.length === 2;
    });
    const [first, second] = before;
    const failures = tsgun.lines('request_failed').length;
    const ends = tsgun.log.filter(({ msg }) => msg.includes(threadEnded)).length;
    expect((await tsgun.get(path)).status).toBe(500);
    const failed = await tsgun.event('request_failed', failures + 1);
    expect(failed).toMatchObject({ path, outcome: 'answered 500' });
    expect(failed.error).toContain(error);
    await said(tsgun, threadEnded, ends + 1);
    await eventually(async () => {
      const now = await threadsOf(tsgun);
      return now.length === 2 && now.filter((thread) => thread === first || thread === second).length === 1;
    });
  });

  it('is not replaced by an app that no longer loads, until that does again', async () => {
    const { tsgun, folder } = group;
    folder.write('app.ts', 'throw new Error("not today")');
    expect((await tsgun.get('/exit')).status).toBe(500);
    await said(tsgun, 'a thread could not be replaced');
    expect((await tsgun.get('/')).status).toBe(200);
    folder.write('app.ts', app);
    await eventually(async () => (await threadsOf(tsgun)).length === 2);
  });

  it('gives its GET to another one with --retry-idempotent, once, if nothing was answered', async () => {
    const { path } = makeFolder({
      'app.mjs': `
        import { existsSync, writeFileSync } from 'node:fs';
        export default async (env, startResponse) => {
          const mark = env.QUERY_STRING;
          if (env.PATH_INFO === '/begun') {
            startResponse('200 OK', [['Content-Length', '9']])('begun');
            await new Promise((go) => setTimeout(go, 100));
          }
          if (env.PATH_INFO !== '/' && !existsSync(mark)) {
            if (mark !== '') writeFileSync(mark, '');
            process.exit(3);
          }
          startResponse('200 OK', []);
          return ['answered'];
        }`,
    });
    const tsgun = threaded('app.mjs', ['--threads', '2', '--retry-idempotent'], { cwd: path });
    await tsgun.workers(1);
    const ended = () => tsgun.log.filter(({ msg }) => msg.startsWith('a thread ended')).length;
    expect(await tsgun.get('/once?get')).toMatchObject({ status: 200, text: 'answered' });
    await tsgun.until(() => ended() === 1, 'the end of one thread');
    expect((await tsgun.get('/always')).status).toBe(500);
    await tsgun.until(() => ended() === 3, 'the end of two more');
    const posted = await fetch(new URL('/once?post', await tsgun.url()), { method: 'POST' });
    expect([posted.status, await posted.text().then(() => 'read')]).toEqual([500, 'read']);
    await expect(tsgun.get('/begun?begun')).rejects.toThrow();
    await tsgun.until(() => ended() === 5, 'the end of two more');
    const again = tsgun.log.filter(({ msg }) => msg.includes('another one gets it'));
    expect(again.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/once'],
      ['GET', '/always'],
    ]);
    await stop(tsgun);
  });

  it('that has compiled what JavaScript imports leaves the compiler to the others as well', async () => {
    const { path, write } = makeFolder();
    write('part.ts', 'export enum Part { first = 0 }');
    write(
      'app.mjs',
      `import { Part } from './part.ts';
      export default (env, startResponse) => {
        if (env.PATH_INFO === '/exit') process.exit(3);
        startResponse('200 OK', []);
        return [String(Part.first)];
      }`,
    );
    const tsgun = start(join(path, 'app.mjs'), ['--worker-class', 'threaded', '--threads', '2'], {
      env: { XDG_CACHE_HOME: join(path, 'empty') },
    });
    await tsgun.workers(1);
    for (let count = 1; count <= 6; count++) {
      write('part.ts', `export enum Part { first = ${count} }`);
      expect((await tsgun.get('/exit')).status).toBe(500);
      await eventually(async () => (await threadsOf(tsgun)).length === 2);
    }
    expect(tsgun.lines('worker_exited')).toEqual([]);
    await stop(tsgun);
  });
});

describe('requests for several threads', () => {
  const group = shared(['--threads', '3']);

  it('run at once on as many threads as there are', async () => {
    const { tsgun, folder } = group;
    const name = join(folder.path, 'meet');
    await eventually(async () => (await threadsOf(tsgun)).length === 3);
    const all = [1, 2, 3].map(() => tsgun.get(`/wait?${name}`));
    await said(tsgun, 'waiting', 3);
    folder.write('meet', '');
    for (const { status } of await Promise.all(all)) expect(status).toBe(200);
  });

  it('that came together with a long one do not wait for it', async () => {
    const { tsgun, folder } = group;
    const clients = await Promise.all(Array.from({ length: 12 }, () => tsgun.connect()));
    const [long, ...short] = clients;
    const gate = join(folder.path, 'gate');
    long!.send(`GET /wait?${gate} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    for (const client of short) client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    for (const client of short) expect(await client.until(/thread \d+/)).toBeTruthy();
    expect(long!.received).toBe('');
    folder.write('gate', '');
    await long!.until(/thread \d+/);
  });
});

describe('requests for one thread', () => {
  const group = shared(['--threads', '1']);

  it('beyond what may wait are answered 503, and the others in time', async () => {
    const { tsgun, folder } = group;
    const gate = join(folder.path, 'gate');
    const first = tsgun.get(`/wait?${gate}`);
    await said(tsgun, 'waiting');
    const clients = await Promise.all(Array.from({ length: 300 }, () => tsgun.connect()));
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const refused = () => clients.filter(({ received }) => received.startsWith('HTTP/1.1 503 '));
    await eventually(() => refused().length >= 300 - 256);
    expect(refused()[0]!.received).toContain('\r\nRetry-After: 1\r\n');
    folder.write('gate', '');
    expect((await first).status).toBe(200);
    await Promise.all(clients.map(({ closed }) => closed));
    expect(refused()).toHaveLength(300 - 256);
    expect(clients.filter(({ received }) => received.startsWith('HTTP/1.1 200 '))).toHaveLength(256);
  });

  it('that run or wait when it is told to stop are answered', async () => {
    const { tsgun, folder } = group;
    const gate = join(folder.path, 'gate-2');
    const waiting = tsgun.log.filter(({ msg }) => msg.includes('waiting')).length;
    const all = Array.from({ length: 5 }, () => tsgun.get(`/wait?${gate}`));
    await said(tsgun, 'waiting', waiting + 1);
    const idle = await tsgun.connect();
    const stopped = tsgun.stop();
    await idle.closed;
    folder.write('gate-2', '');
    for (const { status } of await Promise.all(all)) expect(status).toBe(200);
    expect(await stopped).toEqual({ code: 0, signal: null });
  });
});

describe('requests for several workers', () => {
  // A socket shared through cluster cannot be let go of and had again.
  it.skipIf(process.env.TSGUN_NO_INTERNALS)('come to a worker with a free thread, once another has none', async () => {
    const { tsgun, folder } = open(['--workers', '2', '--threads', '1', '--log-level', 'debug']);
    await tsgun.workers(2);
    const gate = join(folder.path, 'gate');
    const ask = async (path: string) => {
      const client = await tsgun.connect();
      client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      return client;
    };
    const blocked = await ask(`/wait?${gate}`);
    await said(tsgun, 'waiting');
    const { pid: waiting } = tsgun.log.find(({ msg }) => msg.includes('waiting'))!;
    const isBusy = () => tsgun.log.some(({ msg, pid }) => pid === waiting && msg.startsWith('all threads are busy'));
    const early: Client[] = [];
    while (!isBusy()) early.push(await ask('/'));
    const later: Client[] = [];
    // One after the other: many at once may find no thread of the other worker free either.
    for (let count = 1; count <= 40; count++) {
      later.push(await ask('/'));
      await eventually(() => later.filter(({ received }) => received.includes('thread')).length >= count - 2);
    }
    expect(blocked.received).toBe('');
    folder.write('gate', '');
    const pids = async (clients: readonly Client[]) => {
      const answers = await Promise.all(clients.map((client) => client.until(/ of (\d+)$/)));
      return new Set(answers.map(([, pid]) => pid));
    };
    expect((await pids([blocked, ...early, ...later])).size).toBe(2);
    // And the one that was busy takes connections again.
    const [busy] = await pids([blocked]);
    await eventually(async () => (await pids([await ask('/')])).has(busy));
    expect(tsgun.lines('worker_spawned')).toHaveLength(2);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('an app that does not load', () => {
  it.each([
    ['throws', 'throw new Error("not today")', 'not today'],
    ['lets an error escape', 'setTimeout(() => { throw new Error("later") }); await new Promise(() => {})', 'later'],
    ['ends its thread', 'process.exit(7)', 'code 7'],
    ['exports nothing', 'export {}', 'exports nothing'],
  ])('because it %s is told as in any class', async (_name, text, error) => {
    const { path } = makeFolder({ 'app.mjs': text });
    const tsgun = threaded('app.mjs', [], { cwd: path });
    expect(await tsgun.exited).toEqual({ code: 4, signal: null });
    const exited = tsgun.lines('worker_exited')[0]!;
    expect(exited).toMatchObject({ reason: 'boot_failed' });
    expect(exited.error).toContain(error);
  });
});

/** The threads that answer now, found by asking several times at once: all of them, unless one is quick enough for the others. */
async function threadsOf(tsgun: Tsgun): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: 24 }, () => tsgun.get('/')));
  return [...new Set(answers.map(({ text }) => text))];
}
