/** The field Server-Timing: its figures, to the microsecond. */

import { describe, expect, it, vi } from 'vitest';
import { timingLine } from '../../../src/http/h1/timing.ts';
import type { Cost } from '../../../src/http/observers.ts';

function line(ms: number, queueMs?: number, cost?: Cost) {
  vi.spyOn(performance, 'now').mockReturnValue(5000 + ms);
  try {
    return timingLine({ startedAt: 5000, queueMs, cost });
  } finally {
    vi.restoreAllMocks();
  }
}

describe('Server-Timing', () => {
  it.each([
    [0, '0'],
    [0.001, '0.001'],
    [0.0421, '0.042'],
    [0.25, '0.25'],
    [0.9996, '1'],
    [1.5, '1.5'],
    [12_345.678, '12345.678'],
  ])('of %f ms, asked once and again', (ms, shown) => {
    expect(line(ms)).toBe(`Server-Timing: app;dur=${shown}\r\n`);
    expect(line(ms)).toBe(`Server-Timing: app;dur=${shown}\r\n`);
  });

  it('takes the wait for a thread apart from the time of the app', () => {
    expect(line(7, 4.5)).toBe('Server-Timing: queue;dur=4.5, app;dur=2.5\r\n');
  });

  it('has the CPU time, of a request that is over or that runs', () => {
    const over = { cpuMs: 3.25 };
    const running = { cpuMs: undefined, cpuMsAt: (now: number) => (now - 5000) / 2 };
    expect(line(4, 1, over)).toBe('Server-Timing: queue;dur=1, app;dur=3, cpu;dur=3.25\r\n');
    expect(line(0.5, undefined, running)).toBe('Server-Timing: app;dur=0.5, cpu;dur=0.25\r\n');
    expect(line(0.5, undefined, { cpuMs: undefined })).toBe('Server-Timing: app;dur=0.5\r\n');
  });

  it('never says less than nothing', () => {
    expect(line(-1)).toBe('Server-Timing: app;dur=0\r\n');
  });
});
