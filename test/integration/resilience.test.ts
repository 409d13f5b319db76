/** What must not end the service, or be mistaken for something else. */

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../ports.ts';
import { eventually, makeFolder, start, Tsgun } from './harness.ts';

const hello = `export default (env, startResponse) => { startResponse('200 OK', []); return ['hello'] }`;

it('a worker that cannot be started for want of descriptors is explained', async () => {
  const { path } = makeFolder({ 'app.mjs': hello });
  const through = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
  const tsgun = start('app.mjs', ['--workers', '40'], { cwd: path, through });
  expect(await tsgun.exited).toMatchObject({ code: 3 });
  const errors = tsgun.log.flatMap(({ level, error }) => (level === 'fatal' || level === 'error' ? [error] : []));
  expect(errors).toEqual([expect.stringMatching(/^cannot start a worker: .*EMFILE/)]);
});

describe('the master outlives', () => {
  it('an app that sends messages of its own', async () => {
    const { path } = makeFolder({
      'app.mjs': `for (const message of [null, 7, 'ready', { type: 'ready' }, { type: 'leaving', reason: 'killed' }, { tsgun: null }])
        process.send(message)
      ${hello}`,
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    await tsgun.workers(1);
    expect(tsgun.lines('worker_ready')).toHaveLength(1);
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('an app that writes into the pipe of its watchdog', async () => {
    const { path } = makeFolder({
      'app.mjs': `import { writeSync } from 'node:fs'
        export default (env, startResponse) => {
          // After the standard three, the IPC channel and the one socket.
          writeSync(5, 'null\\n7\\n[]\\n"hung"\\n{}\\n{')
          startResponse('200 OK', [])
          return ['hello']
        }`,
    });
    const tsgun = start('app.mjs', [], { cwd: path });
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(tsgun.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('a worker that dies with orders to its watchdog unread', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const tsgun = start('app.mjs', ['--timeout', '1'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    process.kill(pid!, 'SIGSTOP');
    // Its watchdog has been asked by then.
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('worker suspended')), 'the suspension');
    process.kill(pid!, 'SIGKILL');
    await tsgun.event('worker_ready', 2);
    expect(tsgun.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('a config file whose code fails late, at a reload', async () => {
    const { path, write } = makeFolder({ 'app.mjs': hello, 'tsgun.config.mjs': 'export default { workers: 1 }' });
    const tsgun = start('app.mjs', [], { cwd: path });
    await tsgun.workers(1);
    write('tsgun.config.mjs', 'Promise.reject(new Error("late")); await new Promise(() => {}); export default {}');
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toBe('config: an error escaped it: late');
    write('tsgun.config.mjs', 'export default { workers: 2 }');
    tsgun.signal('SIGHUP');
    expect(await tsgun.event('reload_finished')).toMatchObject({ workers: 2 });
    await tsgun.stop();
  });

  it('a suspension, without taking its workers for hung', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const tsgun = start('app.mjs', ['--workers', '2', '--timeout', '0.5'], { cwd: path });
    const pids = await tsgun.workers(2);
    tsgun.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    tsgun.signal('SIGCONT');
    tsgun.signal('SIGTTIN');
    await tsgun.workers(3);
    expect(tsgun.living().slice(0, 2)).toEqual(pids);
    expect(tsgun.lines('worker_hung')).toEqual([]);
    await tsgun.stop();
  });
});

describe('an idle worker', () => {
  it('is not taken for hung, however short the timeout', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const tsgun = start('app.mjs', ['--timeout', '0.5'], { cwd: path });
    const [pid] = await tsgun.workers(1);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(tsgun.living()).toEqual([pid]);
    await tsgun.stop();
  });
});

describe('signals', () => {
  it('in the first moments are obeyed when their time comes', async () => {
    const { path } = makeFolder({
      'app.mjs': hello,
      'tsgun.config.mjs': 'await new Promise(() => {}); export default {}',
    });
    const tsgun = new Tsgun(['app.mjs'], { cwd: path });
    // The earliest sign of life that can be seen from outside: the handler is there.
    await eventually(() => hasHandler(tsgun.pid, 1));
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it('to the whole group while workers boot are the master’s alone', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path, isDetached: true });
    await tsgun.event('worker_spawned', 2);
    await eventually(() =>
      Promise.all(tsgun.living().map((pid) => hasHandler(pid, 1))).then((all) => all.every(Boolean)),
    );
    process.kill(-tsgun.pid, 'SIGHUP');
    await tsgun.event('reload_finished');
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    await tsgun.stop();
  });
});

describe('listeners', () => {
  it('of a reload that fails are closed again', async () => {
    const { path, write } = makeFolder({ 'app.mjs': hello, 'tsgun.config.json': '{ "bind": "127.0.0.1:0" }' });
    const tsgun = new Tsgun(['app.mjs'], { cwd: path });
    await tsgun.workers(1);
    const other = await freePort();
    write('app.mjs', 'throw new Error("not today")');
    write('tsgun.config.json', JSON.stringify({ bind: `127.0.0.1:${other}` }));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_failed');
    await eventually(() => isRefused(other));
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    await tsgun.stop();
  });

  it('added by a reload are announced, and dropped ones closed', async () => {
    const { path, write } = makeFolder({ 'app.mjs': hello, 'tsgun.config.json': '{ "bind": "127.0.0.1:0" }' });
    const tsgun = new Tsgun(['app.mjs'], { cwd: path });
    const first = new URL(await tsgun.url());
    const other = await freePort();
    write('tsgun.config.json', JSON.stringify({ bind: `127.0.0.1:${other}` }));
    tsgun.signal('SIGHUP');
    expect(await tsgun.event('listening', 2)).toMatchObject({ address: `127.0.0.1:${other}` });
    await tsgun.event('reload_finished');
    await eventually(() => isRefused(Number(first.port)));
    expect(await (await fetch(`http://127.0.0.1:${other}/`)).text()).toBe('hello');
    await tsgun.stop();
  });

  it('may both be on a port that the system chooses', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const tsgun = start('app.mjs', ['--bind', '127.0.0.1:0'], { cwd: path });
    await tsgun.event('listening', 2);
    for (const { url } of tsgun.lines('listening')) expect(await (await fetch(String(url))).text()).toBe('hello');
    await tsgun.stop();
  });

  it('that two masters bind at the same time are one’s, and the other says so', async () => {
    const { path } = makeFolder({ 'app.mjs': `await new Promise((resolve) => setTimeout(resolve, 500))\n${hello}` });
    const port = await freePort();
    const both = [0, 1].map(() => new Tsgun(['app.mjs', '--bind', `127.0.0.1:${port}`], { cwd: path }));
    const loser = await Promise.race(both.map(async (tsgun) => ({ tsgun, ...(await tsgun.exited) })));
    expect(loser.code).toBe(1);
    expect(loser.tsgun.describe()).toContain(`bind: 127.0.0.1:${port} is in use by another process`);
    const winner = both.find((tsgun) => tsgun !== loser.tsgun)!;
    expect(await winner.get('/')).toMatchObject({ text: 'hello' });
    await winner.stop();
  });
});

describe('an app in CommonJS', () => {
  const app = `(env, startResponse) => { startResponse('200 OK', []); return ['hello'] }`;
  it.each([
    ['one.cjs', `module.exports = ${app}`],
    ['two.cjs', `exports.app = ${app}`],
    ['three.cjs', `module.exports = { app: ${app} }`],
    ['four.cjs', `exports.default = ${app}`],
    [
      'five.cts',
      `const app = ${app.replace('(env, startResponse)', '(env: object, startResponse: Function)')}\nexport = app`,
    ],
  ])('%s loads', async (name, text) => {
    const { path } = makeFolder({ [name]: text });
    const tsgun = start(name, [], { cwd: path });
    expect(await tsgun.get('/')).toMatchObject({ text: 'hello' });
    await tsgun.stop();
  });
});

/** Whether a process catches a signal, by what the kernel says of it (Linux only). */
async function hasHandler(pid: number, signal: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const caught = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)?.[1] ?? '0'}`);
  return ((caught >> BigInt(signal - 1)) & 1n) === 1n;
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

it('chaos that is asked for comes, and the service goes on; in production it is refused', async () => {
  const { path } = makeFolder({ 'app.mjs': hello });
  const chaos = ['--chaos', 'kill=2/s,stall=0.1s@2/s,slow-accept=0.1s@2/s'];
  const tsgun = start('app.mjs', ['--workers', '2', ...chaos], { cwd: path });
  for (const said of ['is killed', 'stands still', 'accepts connections'])
    await tsgun.until(() => tsgun.log.some(({ msg }) => msg.startsWith('chaos: ') && msg.endsWith(said)), said);
  expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'killed', signal: 'SIGKILL' });
  await eventually(async () => (await tsgun.get('/').catch(() => undefined))?.status === 200);
  await tsgun.stop();
  const refused = new Tsgun(['app.mjs', ...chaos], { cwd: path, env: { NODE_ENV: 'production' } });
  expect(await refused.exited).toMatchObject({ code: 1 });
  expect(refused.text.join()).toContain('chaos: it makes workers fail, and NODE_ENV is production');
});
