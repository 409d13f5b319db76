/** Hooks of a config module and of `run`: which is called, where, when, and what it is told. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start } from './harness.ts';

const names = [
  'onStarting',
  'onReload',
  'whenReady',
  'preFork',
  'postFork',
  'postWorkerInit',
  'workerInt',
  'workerAbort',
  'preRequest',
  'postRequest',
  'childExit',
  'workerExit',
  'nworkersChanged',
  'onExit',
];

/** Every hook, each of which writes a line with its arguments. */
const everyHook = (settings = '') => `
import { appendFileSync } from 'node:fs';
const told = (name) => (...args) =>
  appendFileSync('calls', JSON.stringify({ name, pid: process.pid, args }, (key, value) => (key === 'settings' ? undefined : value)) + '\\n');
export default {
  ${settings} ${names.map((name) => `${name}: told('${name}')`).join(', ')},
  preRequest: (worker, { headers, ...request }) => told('preRequest')(worker, { ...request, headers }),
};
`;

const app = `
import { appendFileSync } from 'node:fs';
appendFileSync('calls', JSON.stringify({ name: 'the app loads', pid: process.pid, args: [] }) + '\\n');
export default (env, startResponse) => {
  if (env.PATH_INFO === '/hang') for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  if (env.PATH_INFO === '/wait') return new Promise(() => {});
  if (env.PATH_INFO === '/fail') throw new Error('no');
  startResponse('201 Created', [['Content-Type', 'text/plain']]);
  if (env.PATH_INFO === '/large') return [Buffer.alloc(20_000_000)];
  return ['made'];
};
`;

/** What a hook was called with; by its name it is known how many there are. */
type Told = Readonly<Record<string, unknown>>;

interface Call {
  readonly name: string;
  readonly pid: number;
  readonly args: readonly [Told, Told, Told];
}

function serve(config: string, args: readonly string[] = [], file = 'tsgun.config.mjs') {
  const folder = makeFolder({ 'app.mjs': app, [file]: config });
  const tsgun = start('app.mjs', args, { cwd: folder.path });
  const path = join(folder.path, 'calls');
  const calls = (name?: string): Call[] => {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    return lines.map((line) => JSON.parse(line) as Call).filter((call) => name === undefined || call.name === name);
  };
  return { tsgun, calls, ...folder };
}

/** In the order of the first call of each. */
function order(calls: readonly Call[], pid: number): string[] {
  return [...new Set(calls.filter((call) => call.pid === pid).map(({ name }) => name))];
}

describe('hooks of a config module', () => {
  it.each([
    ['tsgun.config.mjs', 'async'],
    ['tsgun.config.ts', 'sync'],
    ['tsgun.config.js', 'threaded'],
  ])('%s: from the start to the end, %s', async (file, workerClass) => {
    const { tsgun, calls, write } = serve(everyHook(), ['-k', workerClass, '--threads', '1'], file);
    const [first] = await tsgun.workers(1);
    const url = (await tsgun.url()).replace(/\/$/, '');
    const where = { url, address: '127.0.0.1', port: Number(new URL(url).port) };
    expect(await tsgun.ask('/a?b=1')).toBe('made');
    tsgun.signal('SIGTTIN');
    const [, second] = await tsgun.workers(2);
    tsgun.signal('SIGTTOU');
    await tsgun.event('worker_exited');
    write(file, everyHook('procName: "again",'));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited', 2);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    const all = calls();

    expect(order(all, tsgun.pid)).toEqual([
      'onStarting',
      'nworkersChanged',
      'preFork',
      'whenReady',
      'childExit',
      'onReload',
      'onExit',
    ]);
    const life = ['postFork', 'the app loads', 'postWorkerInit', 'preRequest', 'postRequest', 'workerExit'];
    expect(order(all, first!)).toEqual(life);
    expect(order(all, second!)).toEqual(life.filter((name) => !name.endsWith('Request')));
    const server = { pid: tsgun.pid, app: 'app.mjs', workers: 1, generation: 1, log: {}, addresses: [where] };
    expect(calls('onStarting')[0]?.args).toEqual([server]);
    expect(calls('whenReady')).toHaveLength(1);
    expect(calls('preFork')[0]?.args).toEqual([server, { id: 1, generation: 1, log: {} }]);
    expect(calls('postFork')[0]?.args).toEqual([server, { pid: first, id: 1, generation: 1, log: {} }]);
    // JSON has no word for what was never there.
    expect(calls('nworkersChanged').map(({ args }) => args.slice(1))).toEqual([
      [1, null],
      [2, 1],
      [1, 2],
    ]);
    expect(calls('onReload')[0]?.args[0]).toMatchObject({ generation: 2 });
    expect(calls('childExit').map(({ args }) => args[1].reason)).toEqual(['scaled_down', 'reload', 'shutdown']);
    expect(calls('childExit')[0]?.args[1]).toMatchObject({ code: 0, signal: null, uptimeMs: expect.any(Number) });
    expect(calls('onExit')).toHaveLength(1);
  });

  it('of a request, what it was and how it was answered; of a quick stop', async () => {
    const { tsgun, calls } = serve(everyHook());
    const askedAt = performance.now();
    await tsgun.ask('/fine?b=1');
    const tookMs = performance.now() - askedAt;
    await tsgun.ask('/fail');
    const client = await tsgun.connect();
    await client.exchange('GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n');
    await eventually(() => calls('postRequest').length === 3);
    const [fine, failed] = calls('postRequest').map(({ args }) => args.slice(1));
    const [pid] = tsgun.living();
    expect(calls('preRequest')[0]?.args[0]).toMatchObject({ pid, id: 1 });
    expect(calls('preRequest')[2]?.args[1].headers).toEqual({ host: 'x', 'x-a': '1, 2', connection: 'close' });
    const { ms, ...answer } = fine![1]!;
    expect(fine![0]).toMatchObject({ method: 'GET', target: '/fine?b=1', remoteAddress: '127.0.0.1' });
    expect(answer).toEqual({ status: 201, isComplete: true });
    // Measured from its head to its end: both lie within what its client has measured.
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(ms).toBeLessThanOrEqual(Math.ceil(tookMs));
    expect(failed?.[1]).toMatchObject({ status: 500, isComplete: true });
    // A quick stop: the workers are told.
    expect(await tsgun.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(calls('workerInt').map((call) => call.pid)).toEqual([pid]);
    expect(calls('workerExit').map((call) => call.pid)).toEqual([pid]);
  });

  it('of a large answer, when its client has taken it, or left', async () => {
    const { tsgun, calls } = serve(everyHook());
    const ask = async () => {
      const client = await tsgun.connect();
      client.socket.pause();
      client.send('GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      return client;
    };
    const [slow, leaving] = [await ask(), await ask()];
    await tsgun.ask('/fine');
    await eventually(() => calls('preRequest').length === 3);
    const answers = () => calls('postRequest').map(({ args }) => args[2].isComplete);
    await eventually(() => answers().length === 1);
    expect(answers()).toEqual([true]);
    leaving.socket.destroy();
    await eventually(() => answers().length === 2);
    expect(answers()).toEqual([true, false]);
    slow.socket.resume();
    await eventually(() => answers().length === 3);
    expect(answers()).toEqual([true, false, true]);
    await tsgun.stop();
  });

  it('of a worker that hangs: its stack and its requests, in the master', async () => {
    const { tsgun, calls } = serve(everyHook(), ['--timeout', '1']);
    // Of a worker that the machine does not run while it is asked, there is no stack: then once more.
    for (let count = 1; !String(calls('workerAbort').at(-1)?.args[0].stack).startsWith('at '); count++) {
      const [pid] = await tsgun.workers(count);
      tsgun.get('/hang').catch(() => {});
      await tsgun.event('worker_ready', count + 1);
      expect(calls('workerAbort').at(-1)?.args[0].pid).toBe(pid);
    }
    expect(calls('workerAbort').at(-1)).toEqual({
      name: 'workerAbort',
      pid: tsgun.pid,
      args: [
        expect.objectContaining({
          stack: expect.stringContaining('app.mjs:5:'),
          requests: [{ method: 'GET', path: '/hang', ms: expect.any(Number) }],
        }),
      ],
    });
    expect(calls('workerExit')).toEqual([]);
    await tsgun.stop();
  });

  it('log through the error log', async () => {
    const { tsgun } = serve(
      "export default { postFork(server, worker) { worker.log.warn('forked %d of %s', worker.id, server.app); } };",
    );
    await tsgun.workers(1);
    const line = tsgun.log.find(({ msg }) => msg === 'forked 1 of app.mjs');
    expect(line).toMatchObject({ level: 'warn', pid: tsgun.living()[0] });
    await tsgun.stop();
  });
});

describe('a hook that fails', () => {
  const failing = (name: string, how = "throw new Error('no luck');") =>
    `export default { async ${name}() { ${how} } };`;

  it('at the start: exit code 1, and no worker', async () => {
    const { tsgun } = serve(failing('onStarting'));
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text[0]).toBe('tsgun: onStarting: the hook failed: no luck');
    expect(tsgun.lines('worker_spawned')).toEqual([]);
  });

  it.each(['postFork', 'postWorkerInit'])('in a worker that boots, %s: exit code 3', async (name) => {
    const { tsgun } = serve(failing(name));
    expect(await tsgun.exited).toEqual({ code: 3, signal: null });
    const [line] = tsgun.lines('worker_exited');
    expect(line).toMatchObject({ reason: 'boot_failed', msg: `${name}: the hook failed: no luck` });
  });

  it('in the workers of a reload: the reload is given up', async () => {
    const { tsgun, write } = serve('export default {};');
    await tsgun.workers(1);
    write('tsgun.config.mjs', failing('postFork'));
    tsgun.signal('SIGHUP');
    expect(await tsgun.event('reload_failed')).toMatchObject({ error: 'postFork: the hook failed: no luck' });
    expect(await tsgun.ask()).toBe('made');
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('anywhere else: a line in the log, and the service goes on', async () => {
    const others = names.filter((name) => !['onStarting', 'postFork', 'postWorkerInit', 'workerAbort'].includes(name));
    const { tsgun } = serve(
      `export default { ${others.map((name) => `${name}() { throw new Error('no luck'); }`).join(', ')} };`,
    );
    await tsgun.workers(1);
    expect(await tsgun.ask()).toBe('made');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited');
    expect(await tsgun.ask()).toBe('made');
    expect(await tsgun.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(new Set(tsgun.log.flatMap(({ hook }) => hook ?? []))).toEqual(new Set(others));
  });

  it.each([
    [
      'tsgun.config.mjs',
      "export default { postFork: 'x' };",
      /^tsgun: postFork: expected a function, got "x" \(tsgun\.config\.mjs\)$/,
    ],
    [
      'tsgun.config.json',
      '{ "postFork": "x" }',
      /hooks need a config file that is a module, such as tsgun\.config\.ts \(tsgun\.config\.json:1\)$/,
    ],
    [
      'tsgun.config.mjs',
      'export default { postfork() {} };',
      /^tsgun: postfork: no such setting.*did you mean postFork\? \(tsgun\.config\.mjs\)$/,
    ],
  ])('a hook that is no function, in a JSON file, or misspelt is refused: %s %s', async (file, config, message) => {
    const { tsgun } = serve(config, [], file);
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text.join('\n')).toMatch(message);
  });
});

it('the hooks hear of a client that leaves before the answer: a response without a status', async () => {
  const { tsgun, calls, write } = serve(everyHook());
  await tsgun.workers(1);
  write('app.mjs', 'export default (env, startResponse) => new Promise(() => {});');
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  await tsgun.event('worker_exited');
  const client = await tsgun.connect();
  const sentAt = performance.now();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => calls('preRequest').length === 1);
  client.socket.resetAndDestroy();
  await eventually(() => calls('postRequest').length === 1);
  const { ms, ...answer } = calls('postRequest')[0]!.args[2];
  expect(answer).toEqual({ isComplete: false });
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(ms).toBeLessThanOrEqual(Math.ceil(performance.now() - sentAt));
  await tsgun.stop();
});

it.each(['async', 'sync', 'threaded'])(
  "the hooks hear of a request that the server answers in the app's place: that answer, %s",
  async (workerClass) => {
    const args = ['-k', workerClass, '--threads', '1', '--request-timeout', '0.2', '--limit-request-body', '10'];
    const { tsgun, calls, write } = serve('export default {};', args);
    await tsgun.workers(1);
    write('tsgun.config.mjs', everyHook());
    write('app.mjs', "export default async (env, start) => { for await (const _ of env['wsgi.input']); };");
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited');
    const tookMs: number[] = [];
    const ask = async (text: string) => {
      const client = await tsgun.connect();
      const askedAt = performance.now();
      const answer = await client.exchange(text);
      tookMs.push(performance.now() - askedAt);
      return answer;
    };
    const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await ask(`${chunked}14\r\n${'x'.repeat(20)}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await ask(`${chunked}nonsense\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(`${chunked}1\r\nx`)).toMatch(/^HTTP\/1\.1 504 /);
    await eventually(() => calls('postRequest').length === 3);
    expect(calls('preRequest')).toHaveLength(3);
    const responses = calls('postRequest').map(({ args: [, , response] }) => response);
    expect(responses.map(({ ms: _, ...response }) => response)).toEqual(
      [413, 400, 504].map((status) => ({ status, isComplete: true })),
    );
    for (const [index, { ms }] of responses.entries()) expect(ms).toBeLessThanOrEqual(Math.ceil(tookMs[index]!));
    // The deadline, and the grace after it.
    expect(responses[2]!.ms).toBeGreaterThanOrEqual(200 + 250);
    await tsgun.stop();
  },
);

it.each(['async', 'sync', 'threaded'])(
  'the hooks hear of a client that leaves within its body: its request, and a response without a status, %s',
  async (workerClass) => {
    const { tsgun, calls } = serve(everyHook(), ['-k', workerClass, '--threads', '1']);
    const client = await tsgun.connect();
    client.send('POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx');
    await eventually(() => calls('preRequest').length === 1);
    client.socket.resetAndDestroy();
    await eventually(() => calls('postRequest').length === 1);
    await tsgun.stop();
    const ofRequests = calls().filter(({ name }) => name.endsWith('Request'));
    expect(ofRequests.map(({ name, args }) => [name, args[1].method, args[2]?.status])).toEqual([
      ['preRequest', 'POST', undefined],
      ['postRequest', 'POST', undefined],
    ]);
  },
);

describe('a hook that never ends', () => {
  const endless = (name: string, more = '') =>
    `export default { ${name}() { process.stderr.write('${name} waits\\n'); return new Promise(() => {}); }, ${more} };`;
  const waits = (name: string) => `${name} waits`;

  it('at the start: a stop is heard', async () => {
    const { tsgun } = serve(endless('onStarting'));
    await tsgun.until(() => tsgun.text.includes(waits('onStarting')), 'the hook');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.lines('worker_spawned')).toEqual([]);
  });

  it.each(['postFork', 'postWorkerInit'])('in a worker that boots, %s: the boot timeout says so', async (name) => {
    const { tsgun } = serve(endless(name), ['--boot-timeout', '8']);
    expect(await tsgun.exited).toEqual({ code: 3, signal: null });
    expect(tsgun.lines('worker_exited')[0]).toMatchObject({
      reason: 'boot_failed',
      error: expect.stringContaining(`hook ${name} has not returned`),
    });
  });

  it('at the end of a boot that failed: it gets no more than a worker that stops', async () => {
    const config = endless('workerExit', "postFork() { throw new Error('no luck'); }");
    const { tsgun } = serve(config, ['--graceful-timeout', '0.2']);
    expect(await tsgun.exited).toEqual({ code: 3, signal: null });
    expect(tsgun.lines('worker_exited')[0]).toMatchObject({ code: 3, signal: null, reason: 'boot_failed' });
  });

  it('at the end of a worker: graceful-timeout ends it', async () => {
    const { tsgun } = serve(endless('workerExit'), ['--graceful-timeout', '0.2']);
    await tsgun.workers(1);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.lines('worker_exited')[0]).toMatchObject({ code: 0, signal: null, reason: 'shutdown' });
  });

  it('at the end: a second signal ends it at once', async () => {
    const { tsgun } = serve(endless('onExit', 'gracefulTimeout: 1'));
    await tsgun.workers(1);
    tsgun.signal('SIGTERM');
    await tsgun.until(() => tsgun.text.includes(waits('onExit')), 'the hook');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});
