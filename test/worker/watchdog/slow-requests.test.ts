import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Slow } from '../../../src/ipc/messages.ts';
import type { Profiles } from '../../../src/ipc/profiles.ts';
import type { TableEntry } from '../../../src/worker/watchdog/requests.ts';
import { SlowRequests, slowCheckMs } from '../../../src/worker/watchdog/slow-requests.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const stacks = [
  { thread: 'main', stack: 'at main' },
  { thread: 'thread 1', stack: 'at other', request: 'GET /other' },
  { thread: 'thread 2', stack: 'at busy', request: 'GET /busy' },
];

function watch(profile: () => Promise<Profiles> = async () => ({ profiles: [], missing: [] })) {
  const running: TableEntry[] = [];
  const told: Slow[] = [];
  const written: string[] = [];
  let files = 0;
  const slow = new SlowRequests({
    slowMs: 500,
    read: () => running,
    tell: (line) => told.push(line),
    examiner: { stacks: async () => ({ stacks, requests: [] }), profiles: profile },
    files: { next: () => `file ${++files}`, write: (file) => void written.push(file) },
  });
  const check = async () => {
    slow.check();
    await vi.advanceTimersByTimeAsync(0);
  };
  const enter = (key: string, path: string, ms: number, method = 'GET') =>
    running.push({ key, method, path, ms, descriptor: -1 });
  return { running, told, written, check, enter };
}

describe('a request that takes longer than --slow-request', () => {
  it('is reported once, with the stack of its thread, or else of the main thread', async () => {
    const { told, check, enter } = watch();
    enter('1', '/busy', 510);
    enter('2', '/elsewhere', 505);
    enter('3', '/quick', 400);
    await check();
    await check();
    expect(told.map(({ path, ms, stack }) => [path, ms, stack])).toEqual([
      ['/busy', 510, 'at busy'],
      ['/elsewhere', 505, 'at main'],
    ]);
  });

  it('is another one where another request has its place', async () => {
    const { running, told, check, enter } = watch();
    enter('1', '/a', 510);
    await check();
    running.length = 0;
    enter('1 later', '/a', 600);
    await check();
    expect(told).toHaveLength(2);
  });

  it('is no raw connection', async () => {
    const { told, check, enter } = watch();
    enter('1', '127.0.0.1:1', 10_000, 'TCP');
    await check();
    expect(told).toEqual([]);
  });

  it('is one of ten lines at a time; the others follow', async () => {
    const { told, check, enter } = watch();
    for (let count = 0; count < 15; count++) enter(String(count), `/${count}`, 510);
    await check();
    expect(told).toHaveLength(10);
    await check();
    expect(told).toHaveLength(15);
  });

  it('comes with a CPU profile once a minute', async () => {
    const { told, written, check, enter } = watch();
    for (const [key, passedMs] of [
      ['1', 0],
      ['2', 59_000],
      ['3', 2000],
    ] as const) {
      await vi.advanceTimersByTimeAsync(passedMs);
      enter(key, '/a', 510);
      await check();
    }
    expect(told.map(({ profile }) => profile)).toEqual(['file 1', undefined, 'file 2']);
    expect(written).toEqual(['file 1', 'file 2']);
  });

  it('is reported though no profile can be had', async () => {
    const { told, written, check, enter } = watch(() => Promise.reject(new Error('in native code')));
    enter('1', '/a', 510);
    await check();
    expect([told.length, written.length]).toEqual([1, 0]);
  });

  it('is looked for often enough', () => {
    expect([100, 500, 10_000].map(slowCheckMs)).toEqual([20, 50, 100]);
  });
});
