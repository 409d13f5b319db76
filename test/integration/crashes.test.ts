/** What crashes of workers cost the others, and when the next one is spawned. */

import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeFolder, start, type Tsgun } from './harness.ts';

const app = `export default (env, startResponse) => {
  if (env.PATH_INFO === '/abort') process.kill(process.pid, 'SIGSEGV');
  startResponse('200 OK', []);
  return [String(process.pid)];
}`;

/** Lets an app wait until its worker is ready. */
const tellsWhenReady = 'export default { postWorkerInit: () => { globalThis.isReady = true; } };';

/** Over a connection of its own, which goes with the worker. */
async function abort(tsgun: Tsgun): Promise<void> {
  const client = await tsgun.connect();
  client.send('GET /abort HTTP/1.0\r\n\r\n');
  await client.closed;
}

describe('a worker that has served is replaced at once', () => {
  // Were it not, there would be a pause from the second time on.
  it.each(['async', 'sync', 'threaded'])('though its first request kills it, again and again: %s', async (name) => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['-k', name, '--threads', '1'], { cwd: path });
    for (let round = 1; round <= 3; round++) {
      await tsgun.event('worker_ready', round);
      await abort(tsgun);
      expect(await tsgun.event('worker_exited', round)).toMatchObject({ reason: 'crashed', signal: 'SIGSEGV' });
    }
    await tsgun.event('worker_ready', 4);
    expect(tsgun.lines('spawn_delayed')).toEqual([]);
    await tsgun.stop();
  });

  it('though somebody kills it right after its first answer, again and again', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', [], { cwd: path });
    for (let round = 1; round <= 3; round++) {
      await tsgun.event('worker_ready', round);
      process.kill(Number(await tsgun.ask()), 'SIGKILL');
      expect(await tsgun.event('worker_exited', round)).toMatchObject({ reason: 'killed' });
    }
    await tsgun.event('worker_ready', 4);
    expect(tsgun.lines('spawn_delayed')).toEqual([]);
    await tsgun.stop();
  });
});

describe('one request after the other that aborts its worker', () => {
  // A sync worker holds one connection, so that nobody else's goes with it.
  it('fails no request on the connections of others, and there is always a worker', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--workers', '2', '-k', 'sync'], { cwd: path });
    await tsgun.workers(2);
    const failures: string[] = [];
    let isOver = false;
    let answers = 0;
    const load = (async () => {
      while (!isOver) {
        const answer = await tsgun.ask().catch((error: Error) => error.message);
        if (/^\d+$/.test(answer)) answers++;
        else failures.push(answer);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    for (let round = 1; round <= 4; round++) {
      await abort(tsgun);
      await tsgun.event('worker_ready', 2 + round);
    }
    isOver = true;
    await load;
    expect(failures).toEqual([]);
    expect(answers).toBeGreaterThan(4);
    expect(tsgun.lines('spawn_delayed')).toEqual([]);
    expect(fewestReady(tsgun)).toBe(1);
    await tsgun.stop();
  });
});

/** From the moment when both were ready, by the log. */
function fewestReady(tsgun: Tsgun): number {
  const changes = tsgun.log.map(({ event }) => (event === 'worker_ready' ? 1 : event === 'worker_exited' ? -1 : 0));
  let ready = 0;
  const counts = changes.map((change) => (ready += change));
  return Math.min(...counts.slice(counts.indexOf(2)));
}

describe('a worker that dies within seconds of its boot, before its first request', () => {
  it('is followed after a pause that the log explains, while the others serve', async () => {
    const { path } = makeFolder({
      'app.mjs': `import { existsSync, writeFileSync } from 'node:fs';
        // The first one is well; all that come after it die once they are ready.
        if (existsSync('first')) setInterval(() => globalThis.isReady && setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 20), 1);
        writeFileSync('first', '');
        ${app}`,
      'tsgun.config.mjs': tellsWhenReady,
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    const [first] = await tsgun.workers(1);
    tsgun.signal('SIGTTIN');
    expect(await tsgun.event('spawn_delayed', 2)).toMatchObject({
      level: 'warn',
      worker: 2,
      delayMs: expect.any(Number),
      reason: 'crashed',
      failures: 3,
      crashesLastMinute: 3,
      msg: expect.stringMatching(/^worker 2 is spawned again in [\d.]+ s: 3 failures in a row \(crashed\)/),
    });
    const [one, two] = tsgun.lines('spawn_delayed').map(({ delayMs }) => Number(delayMs));
    expect(two).toBeGreaterThan(one!);
    expect(await tsgun.ask()).toBe(String(first));
    await tsgun.event('worker_spawned', 5);
    await tsgun.stop();
  });

  it('gives up the reload that brought it, and the old workers go on', async () => {
    const { path, write } = makeFolder({ 'app.mjs': app, dies: '' });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path });
    await tsgun.workers(2);
    write(
      'app.mjs',
      `import { readFileSync } from 'node:fs';
      setInterval(() => readFileSync('dies', 'utf8') === String(process.pid) && process.kill(process.pid, 'SIGSEGV'), 1);
      ${app}`,
    );
    tsgun.signal('SIGHUP');
    write('dies', String((await tsgun.event('worker_ready', 3)).pid));
    const { error } = await tsgun.event('reload_failed');
    expect(error).toMatch(/^a new worker ended after \d+ ms \(SIGSEGV\), before its first request$/);
    // One of them may have left for the new one, and be replaced by one of its own generation.
    const pid = Number(await tsgun.ask());
    const old = tsgun.lines('worker_spawned').filter(({ generation }) => generation === 1);
    expect(old.map((line) => line.pid)).toContain(pid);
    await tsgun.stop();
  });
});

describe('an error that escapes the app', () => {
  // Threads: worker/threaded.test.ts.
  it.each(['async', 'sync'])('fails its request at once, and the others are answered: %s', async (name) => {
    const { path, write } = makeFolder({
      'app.mjs': `import { existsSync } from 'node:fs';
        export default (req, res) => {
          if (req.url === '/held') return void setInterval(() => existsSync('failed') && res.end('held'), 10);
          if (req.url !== '/') res.write('begun');
          if (req.url === '/exit') setInterval(() => existsSync('exit') && process.exit(), 10);
          else setTimeout(() => { throw new Error('escaped') });
        };`,
    });
    const tsgun = start('app.mjs', ['--interface', 'node', '-k', name], { cwd: path });
    await tsgun.workers(1);
    const held = name === 'async' ? await tsgun.connect() : undefined;
    held?.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
    const failed = await (await tsgun.connect()).exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(failed).toMatch(/^HTTP\/1.1 500 .*Connection: close.*the application failed/s);
    expect(await tsgun.event('request_failed')).toMatchObject({ path: '/', error: 'escaped', outcome: 'answered 500' });
    write('failed', '');
    await held?.until(/held/);
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'crashed', code: 1 });
    await tsgun.event('worker_ready', 2);
    const begun = await tsgun.connect();
    begun.send('GET /begun HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun.closed;
    expect((await tsgun.event('request_failed', 2)).outcome).toBe('the connection was cut');
    await tsgun.event('worker_ready', 3);
    // Where the end of the connection is that of the answer, the end of the process must not look like it.
    const ended = await tsgun.connect();
    const reset = once(ended.socket, 'error');
    ended.send('GET /exit HTTP/1.0\r\n\r\n');
    // libuv takes a reset that comes together with bytes for a plain end.
    await ended.until(/begun/);
    write('exit', '');
    expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET' });
    await tsgun.until(() => tsgun.lines('worker_recycled').at(-1)?.code === 0, 'the line for the exit');
    expect(tsgun.lines('worker_recycled').at(-1)).toMatchObject({
      code: 0,
      cut: 1,
      running: [{ method: 'GET', path: '/exit' }],
    });
    await tsgun.stop();
  });
});

it('a client that had connected to a worker that is replaced after a crash has as long for its request as at a reload', async () => {
  const { path } = makeFolder({
    'app.mjs': `export default (req, res) => {
      if (req.url === '/crash') setTimeout(() => { throw new Error('escaped') });
      res.end('served');
    };`,
  });
  const tsgun = start('app.mjs', ['--interface', 'node'], { cwd: path });
  await tsgun.workers(1);
  const client = await tsgun.connect();
  await tsgun.get('/crash');
  await tsgun.event('worker_ready', 2);
  // Longer than a stop waits, less than a replaced worker does.
  await sleep(2000);
  expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 .*served$/s);
  await tsgun.stop();
});

/** Whether a control group of version 1 can be made: as root, outside of most containers. */
function canLimit(group: string): boolean {
  try {
    mkdirSync(group);
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

describe('a worker that the kernel kills for lack of memory', () => {
  const group = `/sys/fs/cgroup/memory/tsgun-test-${process.pid}`;
  it.skipIf(!canLimit(group))('is said to have been, with its size', async () => {
    const { path } = makeFolder({
      'app.mjs': `const kept = [];
        export default (env, startResponse) => {
          for (;;) kept.push(Buffer.alloc(16 * 2 ** 20, 1));
        }`,
    });
    const enter = `mkdir -p ${group} && echo 400M > ${group}/memory.limit_in_bytes && echo $$ > ${group}/cgroup.procs && exec "$@"`;
    const tsgun = start('app.mjs', [], { cwd: path, through: ['sh', '-c', enter, 'sh'] });
    await tsgun.workers(1);
    const client = await tsgun.connect();
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.closed;
    expect(await tsgun.event('worker_exited')).toMatchObject({
      reason: 'killed',
      signal: 'SIGKILL',
      memoryKill: 'cgroup',
      memoryBytes: expect.any(Number),
      msg: expect.stringContaining('by the kernel for lack of memory'),
    });
    await tsgun.event('worker_ready', 2);
    // One that is killed by hand is not mistaken for another.
    process.kill(tsgun.living()[0]!, 'SIGKILL');
    expect(await tsgun.event('worker_exited', 2)).not.toHaveProperty('memoryKill');
    await tsgun.event('worker_ready', 3);
    await tsgun.stop();
    rmdirSync(group);
  });
});
