/** The app's own code for its end, and for what escapes it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start, type Tsgun } from '../integration/harness.ts';

const classes = ['async', 'threaded', 'sync'];

/** A program that writes down what happens in it, each line with its process. */
function run(text: string, args: readonly string[] = [], files: Record<string, string> = {}) {
  const { path } = makeFolder({
    noted: '',
    ...files,
    'server.cjs': `const http = require('node:http');
      const note = (text) => require('node:fs').appendFileSync('noted', process.pid + ' ' + text + '\\n');
      const answer = (req, res) => {
        if (req.url === '/slow') {
          console.log('slow begins');
          return setTimeout(() => { note('answered'); res.end('slow'); }, 300);
        }
        res.end('fast');
      };
      ${text}`,
  });
  const tsgun = start('server.cjs', ['--threads', '1', ...args], { cwd: path, isDetached: true });
  const noted = () =>
    readFileSync(join(path, 'noted'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => ({ pid: Number.parseInt(line, 10), text: line.slice(line.indexOf(' ') + 1) }));
  return { tsgun, noted, textsOf: (pid: number) => noted().flatMap((each) => (each.pid === pid ? [each.text] : [])) };
}

/** As most programs have it. */
const usual = `const server = http.createServer(answer).listen(process.env.PORT);
  const db = setInterval(() => {}, 1000);
  const end = () => new Promise((resolve) => setTimeout(() => { clearInterval(db); note('db ended'); resolve(); }, 100));
  process.on('SIGTERM', (signal) => { note(signal); server.close(() => end().then(() => process.exit(0))); });`;

/** Four requests, one of which at least runs. The others run too, or wait on a connection that is made already. */
async function askSlowly(tsgun: Tsgun): Promise<Promise<string>[]> {
  const clients = await Promise.all([1, 2, 3, 4].map(() => tsgun.connect()));
  const begun = () => tsgun.stdout.split('slow begins').length;
  const before = begun();
  const request = 'GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const answers = clients.map((client) => client.exchange(request));
  await tsgun.until(() => begun() > before, 'a request to run');
  return answers.map(async (answer) => (await answer).slice(-4));
}

/** The end of all workers, each of which has answered its last request before its own code for the end has run. */
async function expectEnd(
  tsgun: Tsgun,
  asked: readonly Promise<string>[],
  pids: readonly number[],
  textsOf: (pid: number) => readonly string[],
): Promise<void> {
  expect(await Promise.all(asked)).toEqual(['slow', 'slow', 'slow', 'slow']);
  expect(await tsgun.exited).toEqual({ code: 0, signal: null });
  for (const pid of pids) {
    const texts = textsOf(pid);
    expect(texts.slice(-2)).toEqual(['SIGTERM', 'db ended']);
    expect(texts.indexOf('SIGTERM')).toBe(texts.filter((text) => text === 'answered').length);
  }
  const exits = tsgun.lines('worker_exited').filter(({ pid }) => pids.includes(pid));
  expect(exits.map(({ code, reason }) => [code, reason])).toEqual(pids.map(() => [0, 'shutdown']));
}

/** Code for the end of a program, and what it notes. */
const ways: readonly [what: string, code: string, texts: readonly string[]][] = [
  [
    'when nothing is left to do',
    "process.once('SIGTERM', () => server.close(() => note('closed')));",
    ['closed', 'beforeExit'],
  ],
  [
    'by the same signal once more',
    "process.once('SIGTERM', () => setTimeout(() => { note('again'); process.kill(process.pid, 'SIGTERM'); }, 50)); setInterval(() => {}, 1000);",
    ['again'],
  ],
  [
    'by the code for SIGINT where there is no other',
    "process.on('SIGINT', (signal) => { note(signal); process.exit(0); });",
    ['SIGINT'],
  ],
  [
    'though that code fails',
    "process.on('SIGTERM', () => { note('fails'); setTimeout(() => process.exit(0)); throw new Error('no end'); });",
    ['fails'],
  ],
  [
    'by what listens for the end of the server or the process, and nothing else',
    "server.on('close', () => note('close'));",
    ['close', 'beforeExit'],
  ],
];

describe.each(classes)('the SIGTERM code of a program (%s)', (workerClass) => {
  it('runs in each worker after its last answer: TERM to the whole process group', async () => {
    const { tsgun, textsOf } = run(usual, ['--worker-class', workerClass, '--workers', '2']);
    const pids = await tsgun.workers(2);
    const asked = await askSlowly(tsgun);
    process.kill(-tsgun.pid, 'SIGTERM');
    await expectEnd(tsgun, asked, pids, textsOf);
  });

  it('runs at a reload, in a worker that somebody terminates, and at TERM to the master', async () => {
    const { tsgun, textsOf } = run(usual, ['--worker-class', workerClass, '--workers', '2']);
    const old = await tsgun.workers(2);
    const asked = await askSlowly(tsgun);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited', 2);
    expect(await Promise.all(asked)).toEqual(['slow', 'slow', 'slow', 'slow']);
    for (const pid of old) expect(textsOf(pid).slice(-2)).toEqual(['SIGTERM', 'db ended']);
    const [young = 0] = tsgun.living();
    process.kill(young, 'SIGTERM');
    await tsgun.event('worker_exited', 3);
    expect(tsgun.lines('worker_exited').map(({ code, reason }) => [code, reason])).toEqual([
      ...old.map(() => [0, 'reload']),
      [0, 'killed'],
    ]);
    expect(textsOf(young).slice(-2)).toEqual(['SIGTERM', 'db ended']);
    const pids = await tsgun.workers(5);
    const last = await askSlowly(tsgun);
    tsgun.signal('SIGTERM');
    await expectEnd(tsgun, last, pids, textsOf);
  });

  it('may end in other ways', async () => {
    // Each worker ends in its own.
    const config = 'export default { postFork: (server, { id }) => { process.env.WAY = String(id - 1); } };';
    const text = `const server = http.createServer(answer).listen(3000);
      process.on('beforeExit', () => note('beforeExit'));
      ${ways.map(([, code], way) => `if (process.env.WAY === '${way}') { ${code} }`).join('\n')}`;
    const count = ways.length;
    const args = ['--worker-class', workerClass, '--workers', String(count)];
    const { tsgun, textsOf } = run(text, args, { 'tsgun.config.mjs': config });
    await tsgun.workers(count);
    expect(await tsgun.ask()).toBe('fast');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    const found = tsgun.lines('worker_ready').map(({ worker, pid }) => [ways[Number(worker) - 1]![0], textsOf(pid)]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(ways.map(([what, , texts]) => [what, texts])));
  });

  it('gets the time of graceful-timeout, and no more', async () => {
    const { tsgun, noted } = run(
      "http.createServer(answer).listen(3000); process.on('SIGTERM', () => note('for ever')); setInterval(() => {}, 1000);",
      ['--worker-class', workerClass, '--graceful-timeout', '1.5'],
    );
    expect(await tsgun.ask()).toBe('fast');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(noted().map((each) => each.text)).toEqual(['for ever']);
    expect(tsgun.lines('worker_exited')[0]).toMatchObject({ code: 0, uptimeMs: expect.any(Number) });
    expect(tsgun.log.filter(({ msg }) => /out of time/.test(msg))).toHaveLength(1);
  });
});

it('a program sees none of the messages between master and worker, and may send its own', async () => {
  const { tsgun, noted } = run(`process.on('message', (message) => note(JSON.stringify(message)));
    process.send('ready');
    http.createServer(answer).listen(3000, () => process.send({ type: 'leaving', tsgun: 'no' }));`);
  expect(await tsgun.ask()).toBe('fast');
  tsgun.signal('SIGUSR1');
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  expect(noted()).toEqual([]);
});

const packages = `const from = require('node:module').createRequire(${JSON.stringify(fileURLToPath(import.meta.url))});
  const db = setInterval(() => {}, 1000);
  const end = async () => { clearInterval(db); note('db ended'); };
  const server = http.createServer(answer);`;

describe('the shutdown code of a package runs in each worker after its last answer, and no request is lost', () => {
  it.each([
    [
      'close-with-grace',
      `server.listen(3000); from('close-with-grace')({ delay: 5000 }, ({ signal }) => { note(signal); return end(); });`,
    ],
    [
      '@godaddy/terminus',
      `from('@godaddy/terminus').createTerminus(server, { signal: 'SIGTERM', onSignal: () => { note('SIGTERM'); return end(); } });
       server.listen(3000);`,
    ],
    [
      'http-terminator',
      `const terminator = from('http-terminator').createHttpTerminator({ server });
       server.listen(3000);
       process.on('SIGTERM', (signal) => { note(signal); terminator.terminate().then(end).then(() => process.exit(0)); });`,
    ],
    [
      'stoppable',
      `from('stoppable')(server, 3000).listen(3000);
       process.on('SIGTERM', (signal) => { note(signal); server.stop(() => end().then(() => process.exit(0))); });`,
    ],
  ])('%s', async (_, text) => {
    const { tsgun, textsOf } = run(`${packages} ${text}`, ['--graceful-timeout', '20']);
    const old = await tsgun.workers(1);
    const before = await askSlowly(tsgun);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited');
    expect(await Promise.all(before)).toEqual(['slow', 'slow', 'slow', 'slow']);
    const young = tsgun.living();
    const asked = await askSlowly(tsgun);
    process.kill(-tsgun.pid, 'SIGTERM');
    expect(await Promise.all(asked)).toEqual(['slow', 'slow', 'slow', 'slow']);
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    for (const pid of [...old, ...young]) expect(textsOf(pid).slice(-2)).toEqual(['SIGTERM', 'db ended']);
    expect(tsgun.log.filter(({ msg }) => /out of time/.test(msg))).toEqual([]);
  });
});

it('libraries for the end find the process as under node', async () => {
  const { tsgun, noted } = run(`note(['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'unhandledRejection']
      .map((event) => process.listenerCount(event)).join());
    http.createServer(answer).listen(3000);
    const onTerm = () => {};
    process.on('SIGTERM', onTerm).removeListener('SIGTERM', onTerm);`);
  const [pid = 0] = await tsgun.workers(1);
  expect(noted()[0]!.text).toBe('0,0,0,0,0');
  // It still takes the signal, though the last listener has gone.
  process.kill(pid, 'SIGTERM');
  expect(await tsgun.event('worker_exited')).toMatchObject({ code: 0, reason: 'killed' });
  await tsgun.event('worker_ready', 2);
  await tsgun.stop();
});

describe('an error that escapes', () => {
  const failing = `http.createServer((req, res) => {
    if (req.url === '/throw') setTimeout(() => { throw new Error('escaped'); });
    if (req.url === '/reject') Promise.reject(new Error('rejected'));
    res.end('fast');
  }).listen(3000);`;

  it("is the app's where it listens for that", async () => {
    const { tsgun, noted } = run(`${failing} for (const event of ['uncaughtException', 'unhandledRejection'])
      process.on(event, (error) => note(event + ': ' + error.message));`);
    await tsgun.ask('/throw');
    await eventually(() => noted().length >= 1);
    await tsgun.ask('/reject');
    await eventually(() => noted().length >= 2);
    expect(noted().map(({ text }) => text)).toEqual(['uncaughtException: escaped', 'unhandledRejection: rejected']);
    expect(await tsgun.ask()).toBe('fast');
    expect(tsgun.lines('worker_exited')).toEqual([]);
    await tsgun.stop();
  });

  it('costs its worker otherwise', async () => {
    const { tsgun } = run(failing);
    for (const [index, path] of ['/throw', '/reject'].entries()) {
      await tsgun.ask(path);
      expect(await tsgun.event('worker_exited', index + 1)).toMatchObject({ code: 1, reason: 'crashed' });
      await tsgun.event('worker_ready', index + 2);
      expect(await tsgun.ask()).toBe('fast');
    }
    await tsgun.stop();
  });

  it('as a rejection is only warned of where the options of Node say so', async () => {
    const { tsgun } = run(failing, ['--node-options', '--unhandled-rejections=warn']);
    await tsgun.ask('/reject');
    await tsgun.until(() => tsgun.text.some((line) => line.includes('rejected')), 'a warning');
    expect(await tsgun.ask()).toBe('fast');
    expect(tsgun.lines('worker_exited')).toEqual([]);
    await tsgun.stop();
  });
});
