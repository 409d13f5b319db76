import { once } from 'node:events';
import { setImmediate as realImmediate } from 'node:timers';
import { expect, it, vi } from 'vitest';
import { every } from '../../src/ipc/ticks.ts';
import { onTestFinished } from '../current.ts';

function task(ms: number, action: () => void = () => {}) {
  const run = vi.fn(action);
  onTestFinished(every(ms, run));
  return run;
}

it('each task runs at its own interval, and no longer than it is wanted', async () => {
  const often = task(50);
  const ended = vi.fn(() => end());
  const end = every(50, ended);
  const seldom = task(100);
  await expect.poll(() => seldom.mock.calls.length).toBe(2);
  expect(often.mock.calls.length).toBeGreaterThan(2);
  expect(ended).toHaveBeenCalledTimes(1);
});

it('after a block each task that is due runs, before the next event can block again', async () => {
  const tasks = [50, 100, 100].map((ms) => task(ms));
  for (let block = 1; block <= 3; block++) {
    const end = performance.now() + 150;
    while (performance.now() < end);
    // The phase of timers lies between these two.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(tasks.map((run) => run.mock.calls.length)).toEqual([block, block, block]);
  }
});

it('the fake timers of an app do not stop them', async () => {
  const run = task(50);
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  while (run.mock.calls.length < 3) await new Promise(realImmediate);
});

it('a task that fails does so alone', async () => {
  task(50, () => {
    throw new Error('of a task');
  });
  const other = task(50);
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  expect(await once(process, 'uncaughtException')).toMatchObject([{ message: 'of a task' }, 'uncaughtException']);
  process.on('uncaughtException', () => {});
  await expect.poll(() => other.mock.calls.length).toBeGreaterThan(2);
});
