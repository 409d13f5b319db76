import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CanaryTrial, Hooks } from '../../src/hooks.ts';
import type { Generation } from '../../src/master/generations/generation.ts';
import { MasterHooks } from '../../src/master/hooks.ts';
import type { Snapshot } from '../../src/master/snapshot.ts';

const figures = { requests: 400, errors: 0, crashes: 0, p95Ms: 10 };
const trial: CanaryTrial = {
  generation: 2,
  outcome: 'worse',
  faults: ['latency'],
  seconds: 10,
  fresh: figures,
  old: figures,
};

function judge(onCanary?: Hooks['onCanary']) {
  const lines: unknown[] = [];
  const log = { say: (level: string, _: object, message: string) => lines.push(`${level} ${message}`) };
  const configuration = { app: 'app.ts', settings: { bind: [], interface: 'auto' }, hooks: { onCanary } };
  const generation = { configuration, listeners: [], log } as unknown as Generation;
  const snapshot = { pid: 1, wanted: 2, generation: 2 } as Snapshot;
  const judged = new MasterHooks(
    () => snapshot,
    () => generation,
  ).judge(trial);
  return { judged, lines };
}

describe("a user's verdict on a release", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is asked with the figures of the trial, and holds', async () => {
    let told: unknown;
    const { judged } = judge((server, asked) => {
      told = { workers: server.workers, asked };
      return Promise.resolve('no_worse');
    });
    expect(await judged).toEqual({ ...trial, outcome: 'no_worse', faults: [] });
    expect(told).toEqual({ workers: 2, asked: trial });
    expect(await judge(() => 'worse').judged).toEqual({ ...trial, faults: ['latency', 'hook'] });
  });

  it.each([
    ['there is no hook', undefined, []],
    ['it has none', () => undefined, []],
    [
      'it fails',
      () => {
        throw new Error('no metrics');
      },
      ['error the hook onCanary failed: no metrics'],
    ],
    [
      'it is no verdict',
      () => 'good',
      [`error the hook onCanary failed: expected 'worse', 'no_worse' or undefined, got "good"`],
    ],
    [
      'it takes longer than a minute',
      () => new Promise(() => {}),
      ['warn the hook onCanary has not answered within 60 s'],
    ],
  ])("leaves tsgun's own where %s", async (_, hook, expected) => {
    const { judged, lines } = judge(hook);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await judged).toEqual(trial);
    expect(lines).toEqual(expected);
  });
});
