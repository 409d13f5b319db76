/** How connections spread over async workers, and how many each of them takes. */

import { describe, expect, it } from 'vitest';
import type { Client } from '../http/client.ts';
import { makeFolder, start, type Tsgun } from './harness.ts';

const app = `
import { existsSync, writeSync } from 'node:fs'
export default (env, startResponse) => {
  if (env.PATH_INFO === '/block') { writeSync(1, 'blocked'); while (!existsSync('go')); }
  startResponse('200 OK', [])
  return ['by ' + process.pid]
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

describe('keep-alive connections', () => {
  it('that come at once spread over the workers', async () => {
    const tsgun = start('app.mjs', ['--workers', '4'], { cwd: makeFolder({ 'app.mjs': app }).path });
    await tsgun.workers(4);
    const counts = spread(await open(tsgun, 64));
    expect(counts).toHaveLength(4);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThanOrEqual(1.5);
    await tsgun.stop('SIGINT');
  });

  it('go to a worker that is new until it has its share', async () => {
    const tsgun = start('app.mjs', ['--workers', '1'], { cwd: makeFolder({ 'app.mjs': app }).path });
    await tsgun.workers(1);
    await open(tsgun, 20);
    tsgun.signal('SIGTTIN');
    const [, young] = await tsgun.workers(2);
    const later = await open(tsgun, 15);
    expect(later.filter(({ by }) => by === String(young)).length).toBeGreaterThanOrEqual(13);
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
  it('bounds what a worker holds; the next waits until one ends', async () => {
    const folder = makeFolder({ 'app.mjs': app });
    const args = ['--workers', '2', '--worker-connections', '3'];
    const tsgun = start('app.mjs', args, { cwd: folder.path });
    await tsgun.workers(2);
    const held = await open(tsgun, 6);
    expect(spread(held)).toEqual([3, 3]);
    const next = await tsgun.connect();
    next.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    // Whoever is full answers on, and the seventh has not been taken.
    for (const { client } of held) client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await Promise.all(held.map(({ client }) => client.until(/by \d+[\s\S]*by \d+$/)));
    expect(next.received).toBe('');
    held[0]!.client.socket.destroy();
    expect((await next.until(/by (\d+)$/))[1]).toBe(held[0]!.by);
    await tsgun.stop('SIGINT');
  });

  it('loses nobody at a stop: who waits beyond it is served', async () => {
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
