/** `--drain-delay` and `--health-path`: how a load balancer learns that an instance is about to stop, ahead of its clients. */

import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const app = `export default (env, startResponse) => {
  if (env.PATH_INFO === '/die') process.exit(7);
  startResponse('200 OK', []); return [env.PATH_INFO] }`;

/** Longer than any test runs, so that only a signal can end it. */
const long = '600';

async function serve(...args: string[]): Promise<Tsgun> {
  const { path } = makeFolder({ 'app.mjs': app });
  const options = ['--admin-bind', '127.0.0.1:0', '--health-path', '/up', '--access-logfile', '-', '--server-timing'];
  const tsgun = start(`${path}/app.mjs`, [...options, ...args]);
  await tsgun.event('worker_ready');
  return tsgun;
}

async function readyz(tsgun: Tsgun): Promise<number> {
  const { admin } = tsgun.log.find((line) => line.admin !== undefined)!;
  return (await fetch(`http://${String(admin)}/readyz`, { headers: { connection: 'close' } })).status;
}

describe.each(['sync', 'threaded', 'async'])('at TERM, a %s worker', (workerClass) => {
  it('goes on, while the health path and /readyz say 503; a second TERM ends that', async () => {
    const tsgun = await serve('--worker-class', workerClass, '--threads', '2', '--drain-delay', long);
    expect(await tsgun.get('/up?x=1')).toMatchObject({ status: 200, text: 'ready\n' });
    expect(await readyz(tsgun)).toBe(200);
    tsgun.signal('SIGTERM');
    expect(await tsgun.event('shutdown_started')).toMatchObject({ drainDelayMs: 600_000 });
    await eventually(async () => (await tsgun.get('/up')).status === 503);
    expect(await readyz(tsgun)).toBe(503);
    const { status, text, headers } = await tsgun.get('/up/on');
    expect({ status, text }).toEqual({ status: 200, text: '/up/on' });
    const queue = workerClass === 'threaded' ? 'queue;dur=[\\d.]+, ' : '';
    // A thread's own CPU time is known to newer versions of Node.
    const isCosted = workerClass !== 'threaded' || 'threadCpuUsage' in process;
    const cpu = isCosted ? ', cpu;dur=[\\d.]+' : '';
    expect(headers.get('server-timing')).toMatch(new RegExp(`^${queue}app;dur=[\\d.]+${cpu}$`));
    const post = await fetch(await tsgun.url('/up'), { method: 'POST', body: 'x', headers: { connection: 'close' } });
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, HEAD');
    // Within a second it would be taken for a copy of the first.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    expect(tsgun.log.some(({ msg }) => msg === 'asked to stop again: the drain delay ends')).toBe(true);
    // The access log has the app's request, and nothing of the health path.
    expect(tsgun.stdout.match(/"[A-Z]+ \S+/g)).toEqual(['"GET /up/on']);
  });
});

describe('a drain delay', () => {
  it('ends by itself', async () => {
    const tsgun = await serve('--drain-delay', '0.5');
    tsgun.signal('SIGTERM');
    expect(await tsgun.exited).toMatchObject({ code: 0 });
    expect(tsgun.log.some(({ msg }) => msg === 'the drain delay is over: stopping')).toBe(true);
  });

  it('replaces a worker that dies meanwhile by one that knows of it; INT cuts it short, and a quick stop has none', async () => {
    const tsgun = await serve('--drain-delay', long);
    tsgun.signal('SIGTERM');
    await tsgun.event('shutdown_started');
    await tsgun.get('/die').catch(() => {});
    await tsgun.event('worker_ready', 2);
    await eventually(async () => (await tsgun.get('/up')).status === 503);
    expect(await tsgun.stop('SIGINT')).toMatchObject({ code: 0 });
    const other = await serve('--drain-delay', long);
    expect(await other.stop('SIGQUIT')).toMatchObject({ code: 0 });
  });
});
