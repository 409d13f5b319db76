/** `/metrics` says exactly what clients have counted, whatever happens to the workers. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canBindForOthers } from '../../src/node/bind.ts';
import { onTestFinished } from '../current.ts';
import type { Client } from '../http/client.ts';
import { eventually, isAlive, makeFolder, start, type Tsgun } from './harness.ts';

const app = `let count = 0;
export default (env, startResponse) => {
  const path = env.PATH_INFO;
  if (path === '/throw') throw new Error('thrown');
  if (path === '/escape') setTimeout(() => { throw new Error('escaped') });
  if (path === '/slow') return new Promise(() => {});
  startResponse(path === '/missing' ? '404 Not Found' : '200 OK', []);
  return ['x'.repeat(100)];
}`;
const paths = ['/', '/', '/', '/missing', '/throw', '/escape', '/', '/', 'no-path'];
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

interface Seen {
  readonly statuses: Map<string, number>;
  received: number;
  sent: number;
  connections: number;
}

/** One request on a connection of its own. */
function request(port: number, path: string, seen: Seen): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let head = '';
    socket.on('data', (bytes) => (head += bytes));
    socket.once('error', reject);
    socket.once('close', () => {
      const status = `${head.slice(9, 10)}xx`;
      seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
      seen.received += socket.bytesRead;
      seen.sent += socket.bytesWritten;
      seen.connections++;
      resolve();
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}

async function load(port: number, count: number, seen: Seen): Promise<void> {
  let next = 0;
  const client = async () => {
    while (next < count) await request(port, paths[next++ % paths.length]!, seen);
  };
  await Promise.all([client(), client(), client(), client()]);
}

function makeSeen(): Seen {
  return { statuses: new Map(), received: 0, sent: 0, connections: 0 };
}

async function scrape(tsgun: Tsgun): Promise<string> {
  const { admin } = tsgun.log.findLast((line) => line.admin !== undefined)!;
  return (await fetch(`http://${String(admin)}/metrics`, { headers: { connection: 'close' } })).text();
}

/** The values of all samples whose name and labels begin so, in one. */
function sumOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** What was counted is in the file a tenth of a second later. */
async function settled(tsgun: Tsgun, seen: Seen): Promise<string> {
  const total = [...seen.statuses.values()].reduce((sum, count) => sum + count, 0);
  await eventually(async () => sumOf(await scrape(tsgun), 'tsgun_requests_total') >= total);
  return scrape(tsgun);
}

/** As many as the log has. One that has been recycled may exit between a look at the one and a look at the other. */
async function expectExits(tsgun: Tsgun): Promise<void> {
  await eventually(
    async () => sumOf(await scrape(tsgun), 'tsgun_worker_exits_total') === tsgun.lines('worker_exited').length,
  );
}

function compare(text: string, seen: Seen, workerClass: string): void {
  for (const [status, count] of seen.statuses)
    expect([status, sumOf(text, `tsgun_requests_total{status="${status}",worker_class="${workerClass}"}`)]).toEqual([
      status,
      count,
    ]);
  const total = [...seen.statuses.values()].reduce((sum, count) => sum + count, 0);
  expect(sumOf(text, 'tsgun_requests_total')).toBe(total);
  expect(sumOf(text, 'tsgun_request_duration_seconds_count')).toBe(total);
  expect(sumOf(text, 'tsgun_connections_total')).toBe(seen.connections);
  expect(sumOf(text, 'tsgun_received_bytes_total')).toBe(seen.sent);
  expect(sumOf(text, 'tsgun_sent_bytes_total')).toBe(seen.received);
}

async function serve(...args: string[]): Promise<{ tsgun: Tsgun; port: number }> {
  const { path } = makeFolder({ 'app.mjs': app });
  const tsgun = start(`${path}/app.mjs`, ['--admin-bind', '127.0.0.1:0', '--workers', '2', ...args], {
    isDetached: true,
  });
  await tsgun.workers(2);
  return { tsgun, port: Number(new URL(await tsgun.url()).port) };
}

describe.each(['sync', 'threaded', 'async'])('the counters of %s workers', (workerClass) => {
  it('are exact over errors, recycled workers, a reload and a kill', { timeout: 60_000 }, async () => {
    const { tsgun, port } = await serve('--worker-class', workerClass, '--threads', '2', '--max-requests', '15');
    const seen = makeSeen();
    await load(port, 36, seen);
    const loading = load(port, 45, seen);
    tsgun.signal('SIGHUP');
    await Promise.all([loading, tsgun.event('reload_finished')]);
    compare(await settled(tsgun, seen), seen, workerClass);

    const isOf = (event: string, pid: number) => tsgun.lines(event).some((line) => line.pid === pid);
    const serving = () => tsgun.living().filter((pid) => isOf('worker_ready', pid) && !isOf('worker_recycled', pid));
    // Of one that leaves already, the reason is known before it is killed, and the log may not have it yet.
    while (!tsgun.lines('worker_exited').some(({ reason }) => reason === 'killed')) {
      await tsgun.until(() => serving().length >= 2, 'two workers that serve and do not leave');
      const killed = serving().filter(isAlive);
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await tsgun.until(
        () => killed.every((pid) => isOf('worker_exited', pid)),
        'the end of the workers that were killed',
      );
    }
    await load(port, 9, seen);
    const text = await settled(tsgun, seen);
    compare(text, seen, workerClass);
    expect(sumOf(text, 'tsgun_worker_exits_total{reason="killed"}')).toBeGreaterThan(0);
    await expectExits(tsgun);
    expect(sumOf(text, 'tsgun_reloads_total{outcome="finished"}')).toBe(1);
    await tsgun.stop();
  });
});

describe('/metrics', () => {
  it('counts requests that end at their deadline, those in flight, and passes promtool', async () => {
    const { tsgun, port } = await serve('--request-timeout', '1.5');
    const seen = makeSeen();
    const slow = request(port, '/slow', seen);
    await eventually(async () => sumOf(await scrape(tsgun), 'tsgun_requests_in_flight') === 1);
    await slow;
    const text = await settled(tsgun, seen);
    compare(text, seen, 'async');
    expect(sumOf(text, 'tsgun_request_timeouts_total')).toBe(1);
    await eventually(async () => sumOf(await scrape(tsgun), 'tsgun_connections ') === 0);
    if (hasPromtool) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    await tsgun.stop();
  });

  it('counts the requests for which there is no thread as shed', { timeout: 60_000 }, async () => {
    const { path, write } = makeFolder({
      'app.mjs': `import { existsSync, writeFileSync } from 'node:fs';
        import { setTimeout } from 'node:timers/promises';
        export default async (env, startResponse) => {
          if (env.PATH_INFO === '/wait') writeFileSync('runs', '');
          while (env.PATH_INFO === '/wait' && !existsSync('go')) await setTimeout(10);
          startResponse('200 OK', []);
          return ['fine'];
        };`,
    });
    const tsgun = start('app.mjs', ['-k', 'threaded', '--threads', '1', '--admin-bind', '127.0.0.1:0'], { cwd: path });
    await tsgun.workers(1);
    const clients = await Promise.all(Array.from({ length: 260 }, () => tsgun.connect()));
    const ask = (target: string, by: readonly Client[]) => {
      for (const client of by) client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    };
    const answers = (form: RegExp) => clients.filter(({ received }) => form.test(received)).length;
    ask('/', clients.slice(0, 130));
    await Promise.all(clients.slice(0, 130).map((client) => client.until(/fine/)));
    ask('/', clients.slice(130));
    await Promise.all(clients.map((client) => client.until(/fine/)));
    // One runs, and 256 may wait. An answer may be out before its thread is free, so the first must be seen to run.
    ask('/wait', clients.slice(0, 1));
    await eventually(() => existsSync(join(path, 'runs')));
    ask('/wait', clients.slice(1));
    await eventually(() => answers(/503 Service Unavailable.*no thread is free/s) === 3);
    write('go', '');
    await eventually(() => answers(/200 OK.*200 OK/s) === 257);
    const count = (text: string, status: string) => sumOf(text, `tsgun_requests_total{status="${status}"`);
    await eventually(async () => count(await scrape(tsgun), '2xx') === 260 + 257);
    const text = await scrape(tsgun);
    expect([count(text, '5xx'), sumOf(text, 'tsgun_requests_shed_total')]).toEqual([3, 3]);
    for (const { socket } of clients) socket.destroy();
    await tsgun.stop();
  });

  it('counts the connections and bytes of raw connections', async () => {
    const echo = new URL('../../apps/echo.ts:tcp', import.meta.url).pathname;
    const tsgun = start(echo, ['--admin-bind', '127.0.0.1:0']);
    await tsgun.event('worker_ready');
    const port = Number(new URL(await tsgun.url()).port);
    const socket = connect(port, '127.0.0.1');
    socket.write('12345');
    await eventually(async () => sumOf(await scrape(tsgun), 'tsgun_sent_bytes_total') === 5);
    expect(sumOf(await scrape(tsgun), 'tsgun_connections ')).toBe(1);
    socket.destroy();
    await eventually(async () => sumOf(await scrape(tsgun), 'tsgun_connections ') === 0);
    expect(sumOf(await scrape(tsgun), 'tsgun_received_bytes_total')).toBe(5);
    await tsgun.stop();
  });
});

describe('an OpenTelemetry SDK that the app registers', () => {
  it('hears of each request', async () => {
    const { path } = makeFolder({
      'sdk.mjs': `import { metrics } from '@opentelemetry/api';
        const record = (seconds, attributes) => console.log('recorded', JSON.stringify(attributes));
        const createUpDownCounter = () => ({ add: (value) => console.log('active', value) });
        metrics.setGlobalMeterProvider({ getMeter: () => ({ createHistogram: () => ({ record }), createUpDownCounter }) });`,
      'app.mjs': `import './sdk.mjs';
        export default { fetch: () => new Response('', { status: 201 }) };`,
    });
    const scope = new URL('../../node_modules/@opentelemetry', import.meta.url).pathname;
    mkdirSync(`${path}/node_modules`);
    symlinkSync(scope, `${path}/node_modules/@opentelemetry`);
    const tsgun = start('app.mjs', [], { cwd: path });
    await tsgun.get('/');
    await tsgun.until(
      () => /active 1\nactive -1\nrecorded .*"http.response.status_code":201/.test(tsgun.stdout),
      'the record',
    );
    await tsgun.stop();
  });
});

describe('a StatsD server', () => {
  it('hears of requests and workers by the names of gunicorn, the last ones at the exit', async () => {
    const server = createSocket('udp4');
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    let text = '';
    server.on('message', (bytes) => {
      text += `${bytes}\n`;
    });
    const address = `127.0.0.1:${server.address().port}`;
    const { tsgun, port } = await serve('--statsd-host', address, '--statsd-prefix', 'shop', '--dogstatsd-tags', 'a:b');
    const seen = makeSeen();
    await request(port, '/', seen);
    await eventually(() => text.includes('shop.gunicorn.workers:2|g|#a:b\n'));
    await eventually(() => text.includes('shop.gunicorn.requests:1|c|#a:b\n'));
    await request(port, '/missing', seen);
    await tsgun.stop();
    await eventually(() => text.includes('shop.gunicorn.request.status.404:1|c|#a:b\n'));
    expect(text).toMatch(/^shop\.gunicorn\.request\.duration:[\d.]+\|ms\|#a:b$/m);
  });
});

describe.skipIf(!canBindForOthers)('the counters of two masters (USR2)', () => {
  it('are one, and stay when the older one ends', { timeout: 60_000 }, async () => {
    const { tsgun, port } = await serve();
    const seen = makeSeen();
    await load(port, 18, seen);
    const loading = load(port, 36, seen);
    tsgun.signal('SIGUSR2');
    // Workers of the older one may be replaced meanwhile: some requests end theirs.
    const { pid: successor } = await tsgun.event('listening', 2);
    await loading;
    const isTaken = () => tsgun.log.some(({ admin, pid }) => admin !== undefined && pid === successor);
    await tsgun.until(isTaken, 'the newer master to take the listener over');
    compare(await settled(tsgun, seen), seen, 'async');
    expect(await tsgun.retire()).toMatchObject({ code: 0 });
    await load(port, 9, seen);
    const text = await settled(tsgun, seen);
    compare(text, seen, 'async');
    await expectExits(tsgun);
    process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
  });
});
