import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { listRunning } from '../../../src/worker/watchdog/running.ts';

const head = (path: string) => ({ method: 'GET', path });

describe('the requests of a worker, as an operator sees them', () => {
  it('have the thread that has begun with them, the oldest first, without what is not known', () => {
    const [a, b] = [head('/a'), head('/a')];
    const details = [
      { ...a, ms: 1, query: '', client: '', head: a },
      { ...b, ms: 2, query: 'x=1', client: '[::1]:9', head: b },
      { method: 'TCP', path: '127.0.0.1:4', ms: 3 },
    ];
    const threads = [
      { worker: { threadId: 7 } as Worker, request: a, systemId: 700 },
      { worker: { threadId: 8 } as Worker, request: undefined },
    ];
    expect(listRunning(details, threads)).toEqual({
      requests: [
        { method: 'TCP', path: '127.0.0.1:4', ms: 3 },
        { method: 'GET', path: '/a', ms: 2, query: 'x=1', client: '[::1]:9' },
        { method: 'GET', path: '/a', ms: 1, thread: 'thread 7', on: { thread: 700, ms: 1 } },
      ],
      more: 0,
    });
  });

  it('are cut to what a person reads: 128, with short texts', () => {
    const details = Array.from({ length: 1000 }, (_, ms) => ({
      ...head('/x'.repeat(5000)),
      query: 'y'.repeat(9000),
      ms,
    }));
    const { requests, more } = listRunning(details, []);
    expect([requests.length, more, requests[0]!.ms]).toEqual([128, 872, 999]);
    expect([requests[0]!.path.length, requests[0]!.query!.length]).toEqual([200, 200]);
  });
});
