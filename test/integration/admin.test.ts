import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer, connect as openSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { canBindForOthers } from '../../src/node/bind.ts';
import { onTestFinished } from '../current.ts';
import { freePort } from '../ports.ts';
import { eventually, isAlive, makeFolder, start, type Tsgun } from './harness.ts';

const hello = () => `${makeFolder({ 'app.mjs': 'export default (req, res) => res.end();' }).path}/app.mjs`;
/** The longest accept queue that the kernel allows. */
const mostWaiting = process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 0;
const withAdmin = ['--admin-bind', '127.0.0.1:0'];

async function adminOf(tsgun: Tsgun, pid = tsgun.pid): Promise<string> {
  const find = () => tsgun.log.findLast((line) => line.admin !== undefined && line.pid === pid);
  await tsgun.until(() => find() !== undefined, 'an admin listener');
  return `http://${String(find()!.admin)}`;
}

async function ask(admin: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(admin + path, { headers: { connection: 'close' } });
  return { status: response.status, text: await response.text() };
}

describe('the admin listener', () => {
  it('says that nobody answers while every worker is in an endless loop, at once', async () => {
    // One that costs little.
    const loop = 'for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);';
    const { path } = makeFolder({ 'app.mjs': `export default (env, startResponse) => { ${loop} }` });
    const tsgun = start(`${path}/app.mjs`, [...withAdmin, '--workers', '2', '--timeout', '60'], {});
    await tsgun.workers(2);
    const admin = await adminOf(tsgun);
    expect(await ask(admin, '/readyz')).toMatchObject({ status: 200 });
    const { hostname, port } = new URL(await tsgun.url());
    // Until both workers have one.
    const sockets = setInterval(() => {
      const socket = openSocket(Number(port), hostname).on('error', () => {});
      socket.write('GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n');
      onTestFinished(() => void socket.destroy());
    }, 50);
    onTestFinished(() => clearInterval(sockets));
    await eventually(async () => (await ask(admin, '/readyz')).status === 503);
    // Nobody accepts these any more.
    await eventually(async () =>
      /^tsgun_listen_queue_length\{bind=".+"\} [1-9]/m.test((await ask(admin, '/metrics')).text),
    );
    clearInterval(sockets);
    const metrics = (await ask(admin, '/metrics')).text;
    expect(metrics).toContain('tsgun_workers{state="unresponsive"} 2\n');
    expect(metrics).toContain('tsgun_requests_in_flight 2\n');
    const { text } = await ask(admin, '/readyz');
    expect(text).toMatch(/^not ready\nworker 1 \(pid \d+\) has been silent for \d+\.\d s\nworker 2 /);
    // So long, and no less, is a worker silent that is called so.
    for (const [, seconds] of text.matchAll(/silent for ([\d.]+) s/g))
      expect(Number(seconds)).toBeGreaterThanOrEqual(2);
    expect(await ask(admin, '/livez')).toEqual({ status: 200, text: 'ok\n' });
    const stuck = [{ path: '/stuck' }];
    // A watchdog has 150 ms to say what its worker does. On a busy machine it may need more: then it is asked again.
    let status = { running: [] as { requests?: unknown[] }[] };
    await eventually(async () => {
      status = JSON.parse((await ask(admin, '/status')).text);
      return status.running.length === 2 && status.running.every(({ requests }) => requests?.length === 1);
    });
    expect(status).toMatchObject({
      workers: [{ unresponsive: true }, { unresponsive: true }],
      running: [{ requests: stuck }, { requests: stuck }],
    });
    for (const pid of tsgun.living()) process.kill(pid, 'SIGKILL');
    await tsgun.event('worker_exited', 2);
    await tsgun.stop();
  });

  it.runIf(mostWaiting > 1000)('drops none of 1,000 connections that come at once', async () => {
    const tsgun = start(hello(), withAdmin);
    await tsgun.workers(1);
    const admin = await adminOf(tsgun);
    const { hostname, port } = new URL(admin);
    // Nobody accepts them until all have come.
    tsgun.signal('SIGSTOP');
    const sockets = Array.from({ length: 1000 }, () => openSocket(Number(port), hostname).on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    tsgun.signal('SIGCONT');
    expect(await ask(admin, '/livez')).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
    await tsgun.stop();
  });

  it('knows the memory of a worker as soon as the worker is ready', async () => {
    const tsgun = start(hello(), withAdmin, {});
    const [pid] = await tsgun.workers(1);
    const admin = await adminOf(tsgun);
    const { workers } = JSON.parse((await ask(admin, '/status')).text);
    expect(workers).toMatchObject([{ pid, rssBytes: expect.any(Number) }]);
    expect(workers[0].rssBytes).toBeGreaterThan(2 ** 20);
    expect((await ask(admin, '/metrics')).text).not.toContain('tsgun_worker_resident_bytes{worker="1"} 0\n');
    await tsgun.stop();
  });

  it('follows a reload to another address, or to none, and survives one that fails', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const folder = makeFolder();
    const configure = (adminBind: string | null, rest = {}) =>
      folder.write('tsgun.config.json', JSON.stringify({ adminBind, ...rest }));
    configure(`127.0.0.1:${first}`);
    const tsgun = start(hello(), [], { cwd: folder.path });
    await tsgun.workers(1);
    expect(await ask(`http://127.0.0.1:${first}`, '/readyz')).toMatchObject({ status: 200 });

    const holder = createServer().listen(second, '127.0.0.1');
    await once(holder, 'listening');
    configure(`127.0.0.1:${second}`);
    tsgun.signal('SIGHUP');
    expect(await tsgun.event('reload_failed')).toMatchObject({ error: expect.stringContaining('adminBind: ') });
    expect(await ask(`http://127.0.0.1:${first}`, '/readyz')).toMatchObject({ status: 200 });

    await new Promise((resolve) => holder.close(resolve));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await ask(`http://127.0.0.1:${second}`, '/readyz')).toMatchObject({ status: 200 });
    await eventually(() =>
      ask(`http://127.0.0.1:${first}`, '/livez').then(
        () => false,
        () => true,
      ),
    );

    configure(null);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished', 2);
    await eventually(() =>
      ask(`http://127.0.0.1:${second}`, '/livez').then(
        () => false,
        () => true,
      ),
    );
    await tsgun.stop();
  });

  it('is a unix socket whose mode the umask decides, gone with the master', async () => {
    const path = `${makeFolder().path}/admin.sock`;
    const tsgun = start(hello(), ['--admin-bind', `unix:${path}`, '--umask', '0117']);
    await tsgun.workers(1);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    await tsgun.stop();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('ends the start with exit code 1 if it may not be where it is asked to be', async () => {
    const tsgun = start(hello(), ['--admin-bind', '0.0.0.0:9999']);
    expect(await tsgun.exited).toMatchObject({ code: 1 });
    expect(tsgun.describe()).toContain('can be reached from other machines, and has no password: add --admin-public');
  });
});

describe.skipIf(!canBindForOthers)('the admin listener of two masters', () => {
  it('is the newer one’s once that serves, and the older one’s again if the newer exits', async () => {
    const port = await freePort();
    const admin = `http://127.0.0.1:${port}`;
    const tsgun = start(hello(), ['--admin-bind', `127.0.0.1:${port}`], { isDetached: true });
    await tsgun.workers(1);
    const pidOf = async () => (JSON.parse((await ask(admin, '/status')).text) as { pid: number }).pid;
    expect(await pidOf()).toBe(tsgun.pid);
    let failures = 0;
    let isProbing = true;
    const probe = (async () => {
      while (isProbing)
        await ask(admin, '/readyz').then(
          ({ status }) => status !== 200 && failures++,
          () => failures++,
        );
    })();
    tsgun.signal('SIGUSR2');
    await tsgun.event('worker_ready', 2);
    const successor = tsgun.lines('master_started')[1]!.pid;
    await eventually(async () => (await pidOf()) === successor);
    isProbing = false;
    await probe;
    expect(failures).toBe(0);
    process.kill(successor, 'SIGKILL');
    await eventually(() =>
      pidOf().then(
        (pid) => pid === tsgun.pid,
        () => false,
      ),
    );
    await eventually(() => tsgun.living().filter(isAlive).length === 1);
    await tsgun.stop();
  });
});
