/** A worker that is told to finish, is blocked, and runs out of time: the log says what it was at. */

import { describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { type LogLine, makeFolder, start, type Tsgun } from './harness.ts';

/** GET /loop never comes back to the event loop, nor does GET /native, which shows no JavaScript. */
const app = `import { execSync } from 'node:child_process';
export default function app(env, startResponse) {
  if (env.PATH_INFO !== '/') console.log('blocked');
  if (env.PATH_INFO === '/loop') for (;;) ;
  if (env.PATH_INFO === '/native') execSync('sleep 60');
  startResponse('200 OK', []);
  return ['hello'];
}
`;

const args = ['--graceful-timeout', '0.5', '--timeout', '3600'];

async function block(path: string, more: readonly string[] = []): Promise<{ tsgun: Tsgun; client: Client }> {
  const folder = makeFolder({ 'app.mjs': app });
  const tsgun = start('app.mjs', [...args, ...more], { cwd: folder.path });
  await tsgun.workers(1);
  const client = await tsgun.connect();
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await tsgun.until(() => tsgun.stdout.includes('blocked'), 'the worker to be blocked');
  return { tsgun, client };
}

async function overstay(tsgun: Tsgun): Promise<LogLine> {
  const find = () => tsgun.log.find(({ msg }) => msg.startsWith('out of time and blocked'));
  await tsgun.until(() => find() !== undefined, 'the line about what was cut');
  return find()!;
}

describe('a blocked worker, killed at the end of graceful-timeout, is a warning that names its requests', () => {
  it.each([
    ['/loop', 'SIGTERM', /^at app \(.*app\.mjs:4:/],
    ['/native', 'SIGTERM', /^in native code/],
    ['/loop', 'SIGINT', /^at app \(.*app\.mjs:4:/],
  ] as const)('GET %s at %s', async (path, signal, stack) => {
    const { tsgun, client } = await block(path);
    const [pid] = tsgun.living();
    expect(await tsgun.stop(signal)).toEqual({ code: 0, signal: null });
    expect(await overstay(tsgun)).toMatchObject({
      level: 'warn',
      pid,
      worker: 1,
      reason: 'shutdown',
      cut: 1,
      requests: [{ method: 'GET', path, ms: expect.any(Number) }],
      stack: expect.stringMatching(stack),
    });
    expect(tsgun.lines('worker_exited')).toMatchObject([{ reason: 'shutdown', signal: 'SIGKILL' }]);
    await client.closed;
    expect([client.received.split('\r\n')[0], client.socket.errored]).toEqual([
      'HTTP/1.1 503 Service Unavailable',
      null,
    ]);
  });

  it('at a reload', async () => {
    const { tsgun } = await block('/loop');
    tsgun.signal('SIGHUP');
    expect(await overstay(tsgun)).toMatchObject({ reason: 'reload', requests: [{ method: 'GET', path: '/loop' }] });
    expect(await tsgun.event('worker_exited')).toMatchObject({ reason: 'reload', signal: 'SIGKILL' });
    await tsgun.stop();
  });

  it('in the sync class', async () => {
    const { tsgun } = await block('/native', ['-k', 'sync']);
    await tsgun.stop();
    expect(await overstay(tsgun)).toMatchObject({ requests: [{ method: 'GET', path: '/native' }] });
  });
});
