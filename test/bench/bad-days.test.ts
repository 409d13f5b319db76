/** What the bad days of `npm run bench` measure by: overload, long downloads, and what they ask of their peers. */

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { load, type Peer } from './scripts.ts';

type Result = { phase: string; status: number; sentAt: number; ms: number };
const { figuresOf } = await load<{
  figuresOf(results: readonly Result[], phases: readonly [string, number, number][]): Record<string, number>;
}>('lib/overload.mjs');
const { download } = await load<{
  download(
    port: number,
    wish: { path: string; bytes: number; bytesPerSecond: number; patienceMs: number },
  ): Promise<string>;
}>('lib/downloads.mjs');
const { peers } = await load<{ peers: Peer[] }>('peers/index.mjs');

describe('an overload', () => {
  const answer = (phase: string, sentAt: number, ms: number, status = 200): Result => ({ phase, sentAt, ms, status });
  const phases: [string, number, number][] = [
    ['half', 1, 1],
    ['twice', 4, 2],
    ['after', 1, 1],
  ];

  it('counts what was answered in its time, whenever it was asked for, and what was refused or lost', () => {
    const results = [
      answer('half', 900, 200),
      answer('twice', 1000, 100),
      answer('twice', 1500, 1600),
      answer('twice', 2000, 1, 503),
      answer('twice', 2500, 1, 0),
      answer('after', 3000, 200),
    ];
    expect(figuresOf(results, phases)).toMatchObject({ goodput: 1, refused: 1, failed: 1, recovery: 0, calmP99: 200 });
  });

  it('lasts until nobody is late any more', () => {
    const late = [
      answer('half', 0, 10),
      answer('after', 3100, 10),
      answer('after', 3400, 31),
      answer('after', 3500, 5),
    ];
    expect(figuresOf(late, phases).recovery).toBeCloseTo(0.4);
  });
});

describe('a long download', () => {
  const serve = async (answer: RequestListener) => {
    const server = createServer(answer).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  };
  const wish = { path: '/', bytes: 1000, bytesPerSecond: 1_000_000, patienceMs: 10_000 };

  it('is whole, or says what happened', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/cut') {
        response.writeHead(200, { 'Content-Length': 1000 }).write('x');
        setImmediate(() => response.destroy());
      } else if (request.url === '/busy') response.writeHead(503).end();
      else response.end('x'.repeat(request.url === '/short' ? 999 : 1000));
    });
    expect(await download(port, wish)).toBe('');
    expect(await download(port, { ...wish, path: '/short' })).toBe('wrong length');
    expect(await download(port, { ...wish, path: '/busy' })).toBe('503');
    expect(await download(port, { ...wish, path: '/cut' })).toBe('ECONNRESET');
  });
});

describe('what a scenario asks of a peer', () => {
  const commandOf = (id: string, wishes: Record<string, unknown>) =>
    peers
      .find((peer) => peer.id === id)!
      .command({ port: 12345, workers: 2, folder: '/nowhere', ...wishes })
      .command.join(' ');

  it.each([
    ['tsgun', { canarySeconds: 10 }, '--canary 10'],
    ['tsgun', { maxMemoryMib: 200, maxRequests: 700 }, '--max-worker-memory 200'],
    ['tsgun', { shedsLoad: true }, '--shed auto'],
    ['tsgun', { logTo: '/dev/full' }, '--access-logfile -'],
    ['gunicorn-gthread', { maxRequests: 700 }, '--max-requests 700'],
    ['tsgun', { maxConnections: 11_000 }, '--worker-connections 11000'],
    ['tsgun', { certificate: { certfile: 'a.crt', keyfile: 'a.key' } }, '--certfile a.crt --keyfile a.key'],
    ['gunicorn-gevent', { certificate: { certfile: 'a.crt', keyfile: 'a.key' } }, '--certfile a.crt --keyfile a.key'],
    ['uvicorn', { logTo: '/dev/full' }, '--access-logfile -'],
    ['uwsgi', { maxMemoryMib: 200 }, '--reload-on-rss 200'],
  ])('%s is told %j', (id, wishes, words) => {
    expect(commandOf(id, wishes)).toContain(words);
    expect(commandOf(id, {})).not.toContain(words.split(' ')[0]);
  });
});
