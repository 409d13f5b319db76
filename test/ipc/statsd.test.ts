import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { format, gathered, Statsd } from '../../src/ipc/statsd.ts';
import { RequestStatsd } from '../../src/worker/metering/request-statsd.ts';
import { onTestFinished } from '../current.ts';

const plain = { prefix: '', tags: '' };

describe('a line for StatsD', () => {
  it.each([
    [{ name: 'gunicorn.requests', value: 3, type: 'c' }, plain, 'gunicorn.requests:3|c'],
    [{ name: 'd', value: 1.5, type: 'ms', rate: 0.25 }, plain, 'd:1.5|ms|@0.25'],
    [{ name: 'w', value: 2, type: 'g', rate: 1 }, { prefix: 'shop.', tags: 'a:b,c' }, 'shop.w:2|g|#a:b,c'],
  ] as const)('%j', (stat, options, line) => expect(format(stat, options)).toBe(line));

  it('shares a datagram with others, as long as it fits', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `${'x'.repeat(50)}${index}`);
    const datagrams = gathered(lines);
    expect(datagrams.every((datagram) => datagram.length <= 1432)).toBe(true);
    expect(datagrams.join('\n').split('\n')).toEqual(lines);
    expect(datagrams).toHaveLength(4);
  });
});

describe('requests for StatsD', () => {
  const count = (requests: RequestStatsd, status: string, ms: number, outcome = 'answered') =>
    requests.count({ status, startedAt: 0 } as never, outcome as never, ms);

  it('are added up by status, and forgotten once they were taken', () => {
    const requests = new RequestStatsd();
    count(requests, '200 OK', 1.25);
    count(requests, '200 OK', 2);
    count(requests, '404 Not Found', 3);
    count(requests, '', 4, 'aborted');
    count(requests, '200 OK', 9, 'unheard');
    const lines = requests.take().map((stat) => format(stat, plain));
    expect(lines).toEqual([
      'gunicorn.requests:4|c',
      'gunicorn.request.status.200:2|c',
      'gunicorn.request.status.404:1|c',
      'gunicorn.request.duration:1.25|ms',
      'gunicorn.request.duration:2|ms',
      'gunicorn.request.duration:3|ms',
      'gunicorn.request.duration:4|ms',
    ]);
    expect(requests.take()).toEqual([]);
  });

  it('of a busy second are sampled, with the rate', () => {
    const requests = new RequestStatsd();
    for (let index = 0; index < 500; index++) count(requests, '200 OK', index);
    const samples = requests.take().filter(({ type }) => type === 'ms');
    expect(samples).toHaveLength(50);
    expect(samples.every(({ rate }) => rate === 0.1)).toBe(true);
    // Not only the first ones.
    expect(samples.some(({ value }) => value >= 50)).toBe(true);
  });

  it('have the same chance to be sampled, whichever of them, in every second', () => {
    const requests = new RequestStatsd();
    const tenths = new Array(10).fill(0);
    for (let second = 0; second < 400; second++) {
      for (let index = 0; index < 1000; index++) count(requests, '200 OK', index);
      for (const { type, value } of requests.take()) if (type === 'ms') tenths[Math.floor(value / 100)]++;
    }
    // 2,000 each; ten standard deviations are 424.
    for (const taken of tenths) expect(Math.abs(taken - 2000)).toBeLessThan(424);
  });
});

it('what goes to a server that is not there is lost, and harms nobody', async () => {
  const server = createSocket('udp4');
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const statsd = new Statsd({ host: '127.0.0.1', port, ...plain });
  onTestFinished(() => statsd.close());
  const received = new Promise((resolve) => server.once('message', (bytes) => resolve(String(bytes))));
  const send = setInterval(() => statsd.send([{ name: 'x', value: 1, type: 'c' }]), 10);
  expect(await received).toBe('x:1|c');
  await new Promise<void>((resolve) => server.close(() => resolve()));
  // The system reports that nobody listens at the next one.
  await new Promise((resolve) => setTimeout(resolve, 100));
  clearInterval(send);
  expect(() => statsd.send([{ name: 'x', value: 1, type: 'c' }])).not.toThrow();
});
