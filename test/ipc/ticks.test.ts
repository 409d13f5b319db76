import { once } from 'node:events';
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
  expect([3, 4]).toContain(often.mock.calls.length);
  expect(ended).toHaveBeenCalledTimes(1);
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
