import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { cpuWaitMs, waitOf } from '../../src/ipc/cpu-wait.ts';

it('reads the second figure of schedstat, in nanoseconds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-schedstat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'schedstat');
  writeFileSync(path, '1000000 2500000 3\n');
  expect(waitOf(path)).toBe(2.5);
});

it('is 0 for a thread or process that is gone, or where the system does not say', () => {
  expect(waitOf('/proc/0/task/0/schedstat')).toBe(0);
  expect(cpuWaitMs(2 ** 30)).toBe(0);
});
