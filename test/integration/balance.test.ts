/** How connections spread over async workers, and how many each of them takes. */

import { describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { waitedMs } from '../scheduling.ts';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const app = `
import { existsSync, writeSync } from 'node:fs'
// One look for all that wait.
let going
let waiting = 0
async function go() { while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20)) }
export default async (env, startResponse) => {
  if (env.PATH_INFO === '/wait') { waiting++; await (going ??= go()) }
  if (env.PATH_INFO === '/hold') { writeSync(1, 'h'); await (going ??= go()) }
  if (env.PATH_INFO === '/block') { writeSync(1, 'blocked'); while (!existsSync('go')); }
  startResponse('200 OK', [])
  return [env.PATH_INFO === '/count' ? String(waiting) : 'by ' + process.pid]
}`;

async function open(tsgun: Tsgun, count: number): Promise<{ client: Client; by: string }[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await tsgun.connect();
      client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const [, by] = await client.until(/by (\d+)$/);
      return { client, by: by! };
    }),
  );
}

function spread(held: readonly { by: string }[]): number[] {
  const counts = new Map<string, number>();
  for (const { by } of held) counts.set(by, (counts.get(by) ?? 0) + 1);
  return [...counts.values()];
}

async function leave({ socket, closed }: Client): Promise<void> {
  socket.destroy();
  await closed;
}

/** A worker that the machine does not run counts as blocked, and says nothing about the others' shares: then once more. */
async function whenScheduled<T>(
  pids: readonly number[],
  attempt: () => Promise<{ result: T; undo: () => Promise<unknown> }>,
): Promise<T> {
  for (;;) {
    const waits = () => pids.map((pid) => waitedMs(pid) ?? 0);
    const before = waits();
    // What each worker knows of itself and of the others is no older than this.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { result, undo } = await attempt();
    if (waits().every((waited, index) => waited - before[index]! < 100)) return result;
    await undo();
  }
}

describe('keep-alive connections', () => {
  it('that come at once spread over the workers', async () => {
    const tsgun = start('app.mjs', ['--workers', '4'], { cwd: makeFolder({ 'app.mjs': app }).path });
    const pids = await tsgun.workers(4);
    const counts = await whenScheduled(pids, async () => {
      const held = await open(tsgun, 64);
      return { result: spread(held), undo: () => Promise.all(held.map(({ client }) => leave(client))) };
    });
    expect(counts).toHaveLength(4);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThanOrEqual(1.5);
    await tsgun.stop('SIGINT');
  });

  it('go to a new worker until it has its share', async () => {
    const tsgun = start('app.mjs', ['--workers', '1'], { cwd: makeFolder({ 'app.mjs': app }).path });
    await tsgun.workers(1);
    await open(tsgun, 20);
    tsgun.signal('SIGTTIN');
    const pids = await tsgun.workers(2);
    const later = await whenScheduled(pids, async () => {
      const held = await open(tsgun, 15);
      return { result: held, undo: () => Promise.all(held.map(({ client }) => leave(client))) };
    });
    expect(later.filter(({ by }) => by === String(pids[1])).length).toBeGreaterThanOrEqual(13);
    await tsgun.stop('SIGINT');
  });

  it('do not wait for a worker that is blocked', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: folder.path });
    await tsgun.workers(2);
    const blocked = tsgun.get('/block');
    await tsgun.until(() => tsgun.stdout !== '', 'one to be blocked');
    expect(spread(await open(tsgun, 40))).toEqual([40]);
    folder.write('go', '');
    await blocked;
    await tsgun.stop('SIGINT');
  });
});

describe('--worker-connections', () => {
  it('bounds what a worker holds: while requests run on all of them, the next waits until one ends', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const args = ['--workers', '2', '--worker-connections', '3'];
    const tsgun = start('app.mjs', args, { cwd: folder.path });
    const pids = await tsgun.workers(2);
    // A worker that is full closes an idle connection for a newcomer that the other does not take in time.
    const held = await whenScheduled(pids, async () => {
      const result = await open(tsgun, 6);
      return { result, undo: () => Promise.all(result.map(({ client }) => leave(client))) };
    });
    expect(spread(held)).toEqual([3, 3]);
    for (const { client } of held) client.send('GET /hold HTTP/1.1\r\nHost: h\r\n\r\n');
    await tsgun.until(() => tsgun.stdout.length === 6, 'six to be held');
    const next = await tsgun.connect();
    next.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await tsgun.event('connections_full');
    // Longer than the worker waits until it takes an idle connection for one that may be closed.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(next.received).toBe('');
    held[0]!.client.socket.destroy();
    expect((await next.until(/by (\d+)$/))[1]).toBe(held[0]!.by);
    folder.write('go', '');
    await Promise.all(held.slice(1).map(({ client }) => client.until(/by \d+[\s\S]*by \d+$/)));
    await tsgun.stop('SIGINT');
  });

  it('closes the longest idle connection for a new one, and the log says once that the limit is reached', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--worker-connections', '3'], { cwd: folder.path });
    const [pid] = await tsgun.workers(1);
    const held = await open(tsgun, 3);
    // The first is the youngest now.
    for (const index of [1, 2, 0]) {
      held[index]!.client.received = '';
      held[index]!.client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await held[index]!.client.until(/by \d+$/);
    }
    for (const index of [1, 2, 0]) {
      const newcomer = await tsgun.connect();
      newcomer.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      await newcomer.until(/by \d+$/);
      await held[index]!.client.closed;
    }
    expect(tsgun.lines('connections_full')).toMatchObject([{ level: 'warn', pid, connections: 3 }]);
    expect(tsgun.lines('out_of_descriptors')).toEqual([]);
    await tsgun.stop('SIGINT');
  });

  it('holds for newcomers that come together, though few of those that are there have waited for long', async () => {
    const tsgun = start('app.mjs', ['--worker-connections', '3'], { cwd: makeFolder({ 'app.mjs': app }).path });
    await tsgun.workers(1);
    const held = await open(tsgun, 3);
    const all = [...held, ...(await open(tsgun, 4))];
    await eventually(() => all.filter(({ client }) => !client.socket.destroyed).length <= 3);
    await tsgun.stop('SIGINT');
  });

  it.each(['async', 'sync', 'threaded'])(
    'closes none that has a request for one that has none (%s)',
    async (workerClass) => {
      const folder = makeFolder({ 'app.mjs': app });
      const tsgun = start('app.mjs', ['--worker-connections', '4', '-k', workerClass, '--threads', '2'], {
        cwd: folder.path,
      });
      await tsgun.workers(1);
      const running = await tsgun.connect();
      running.send('GET /hold HTTP/1.1\r\nHost: h\r\n\r\n');
      await tsgun.until(() => tsgun.stdout !== '', 'it to run');
      const slow = await Promise.all(Array.from({ length: 8 }, () => tsgun.connect()));
      for (const client of slow) client.send('GET / HTTP/1.1\r\nHost:');
      // Four are there, and four wait. In the sync class they wait for the one that runs, too.
      if (workerClass === 'sync') folder.write('go', '');
      await Promise.all(slow.slice(0, 4).map((client) => client.until(/^HTTP\/1\.1 408 /)));
      folder.write('go', '');
      expect((await running.until(/HTTP\/1\.1 (\d+)[\s\S]*by \d+$/))[1]).toBe('200');
      await tsgun.stop('SIGINT');
    },
  );

  it('is 10,000 by default: 4,096 busy connections to one worker are all served', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', [], { cwd: folder.path });
    await tsgun.workers(1);
    const clients: Client[] = [];
    // Each asks at once: 4,096 may take longer to connect than --header-timeout.
    const ask = async () => {
      const client = await tsgun.connect();
      client.send('GET /wait HTTP/1.1\r\nHost: h\r\n\r\n');
      return client;
    };
    while (clients.length < 4096) clients.push(...(await Promise.all(Array.from({ length: 256 }, ask))));
    await eventually(async () => (await tsgun.ask('/count')) === '4096');
    folder.write('go', '');
    await Promise.all(clients.map((client) => client.until(/by \d+$/)));
    expect(tsgun.lines('connections_full')).toEqual([]);
    for (const { socket } of clients) socket.destroy();
    await tsgun.stop('SIGINT');
  });

  it('loses no client at a stop: those that wait beyond it are served', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--worker-connections', '1'], { cwd: folder.path });
    await tsgun.workers(1);
    const [held] = await open(tsgun, 1);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => tsgun.connect()));
    for (const client of waiting) client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    tsgun.signal('SIGTERM');
    await Promise.all(waiting.map((client) => client.until(/by \d+$/)));
    held!.client.socket.destroy();
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
  });
});
