/** The app's own code for its end, and for what escapes it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start, type Tsgun } from '../integration/harness.ts';

const classes = ['async', 'threaded', 'sync'];

/** A program that writes down what happens in it, each line with its process. */
function run(text: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { path } = makeFolder({
    noted: '',
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
  const tsgun = start('server.cjs', ['--threads', '1', ...args], { cwd: path, env, isDetached: true });
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

describe.each(classes)('the SIGTERM code of a program (%s)', (workerClass) => {
  it.each(['the master', 'the whole process group'])(
    'runs in each worker after its last answer: TERM to %s',
    async (to) => {
      const { tsgun, textsOf } = run(usual, ['--worker-class', workerClass, '--workers', '4']);
      const pids = await tsgun.workers(4);
      const asked = await askSlowly(tsgun);
      if (to === 'the master') tsgun.signal('SIGTERM');
      else process.kill(-tsgun.pid, 'SIGTERM');
      expect(await Promise.all(asked)).toEqual(['slow', 'slow', 'slow', 'slow']);
      expect(await tsgun.exited).toEqual({ code: 0, signal: null });
      for (const pid of pids) {
        const texts = textsOf(pid);
        expect(texts.slice(-2)).toEqual(['SIGTERM', 'db ended']);
        expect(texts.indexOf('SIGTERM')).toBe(texts.filter((text) => text === 'answered').length);
      }
      const exits = tsgun.lines('worker_exited').filter(({ pid }) => pids.includes(pid));
      expect(exits.map(({ code, reason }) => [code, reason])).toEqual(pids.map(() => [0, 'shutdown']));
    },
  );

  it('runs at a reload, and in a worker that somebody terminates', async () => {
    const { tsgun, textsOf } = run(usual, ['--worker-class', workerClass, '--workers', '4']);
    const old = await tsgun.workers(4);
    const asked = await askSlowly(tsgun);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited', 4);
    expect(await Promise.all(asked)).toEqual(['slow', 'slow', 'slow', 'slow']);
    for (const pid of old) expect(textsOf(pid).slice(-2)).toEqual(['SIGTERM', 'db ended']);
    const [young = 0] = tsgun.living();
    process.kill(young, 'SIGTERM');
    await tsgun.event('worker_exited', 5);
    expect(tsgun.lines('worker_exited').map(({ code, reason }) => [code, reason])).toEqual([
      ...old.map(() => [0, 'reload']),
      [0, 'killed'],
    ]);
    expect(textsOf(young).slice(-2)).toEqual(['SIGTERM', 'db ended']);
    await tsgun.event('worker_ready', 9);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it.each([
    [
      'ends when nothing is left to do',
      "process.once('SIGTERM', () => server.close(() => note('closed')));",
      ['closed', 'beforeExit'],
    ],
    [
      'ends by the same signal once more',
      "process.once('SIGTERM', () => setTimeout(() => { note('again'); process.kill(process.pid, 'SIGTERM'); }, 50)); setInterval(() => {}, 1000);",
      ['again'],
    ],
    [
      'is that for SIGINT where there is no other',
      "process.on('SIGINT', (signal) => { note(signal); process.exit(0); });",
      ['SIGINT'],
    ],
    [
      'may fail',
      "process.on('SIGTERM', () => { note('fails'); setTimeout(() => process.exit(0)); throw new Error('no end'); });",
      ['fails'],
    ],
    [
      'is only what listens for the end of the server or the process',
      "server.on('close', () => note('close'));",
      ['close', 'beforeExit'],
    ],
  ])('%s', async (_, text, texts) => {
    const { tsgun, noted } = run(
      `const server = http.createServer(answer).listen(3000); process.on('beforeExit', () => note('beforeExit')); ${text}`,
      ['--worker-class', workerClass],
    );
    expect(await tsgun.ask()).toBe('fast');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(noted().map((each) => each.text)).toEqual(texts);
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
    const { tsgun, textsOf } = run(`${packages} ${text}`, ['--workers', '2', '--graceful-timeout', '20']);
    const old = await tsgun.workers(2);
    const before = await askSlowly(tsgun);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    await tsgun.event('worker_exited', 2);
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

  it.each([
    ['uncaughtException', '/throw', 'escaped'],
    ['unhandledRejection', '/reject', 'rejected'],
  ])("is the app's where it listens for %s", async (event, path, message) => {
    const { tsgun, noted } = run(`${failing} process.on('${event}', (error) => note(error.message));`);
    await tsgun.ask(path);
    await eventually(() => noted().length > 0);
    expect(noted().map(({ text }) => text)).toEqual([message]);
    expect(await tsgun.ask()).toBe('fast');
    expect(tsgun.lines('worker_exited')).toEqual([]);
    await tsgun.stop();
  });

  it.each(['/throw', '/reject'])('costs its worker otherwise: %s', async (path) => {
    const { tsgun } = run(failing);
    await tsgun.ask(path);
    expect(await tsgun.event('worker_exited')).toMatchObject({ code: 1, reason: 'crashed' });
    await tsgun.event('worker_ready', 2);
    expect(await tsgun.ask()).toBe('fast');
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
