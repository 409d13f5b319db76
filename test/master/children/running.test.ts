import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Findings } from '../../../src/ipc/messages.ts';
import type { Question } from '../../../src/master/children/examinations.ts';
import { Examinations } from '../../../src/master/children/examinations.ts';
import { runningRequests } from '../../../src/master/children/running.ts';
import { noteForked } from '../../../src/master/notes.ts';
import { type Child, childrenOf } from '../../../src/master/pool.ts';
import { beat, poolOf, spawn, spawnReady } from '../fixtures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the running requests of all workers', () => {
  it('come within 200 ms, with those of a worker whose watchdog says nothing counted by its last beat', async () => {
    const pool = poolOf(3);
    const well = spawnReady(pool, 0);
    const mute = spawnReady(pool, 0);
    spawn(pool, 0);
    noteForked(well, 71);
    noteForked(mute, 72);
    beat(pool, well, { running: 1 }, 4000);
    beat(pool, mute, { running: 5 }, 0);
    const examinations = new Examinations<Child>();
    const request = { method: 'GET', path: '/a', ms: 3 };
    const examine = (child: Child, question: Question, waitMs?: number) =>
      examinations.ask(
        child,
        question,
        ({ id }) => {
          const findings: Findings = { type: 'findings', id, running: { requests: [request], more: 0 } };
          if (child === well) examinations.take(child, findings);
        },
        waitMs,
      );
    const asked = runningRequests(childrenOf(pool), { examine }, 4000);
    await vi.advanceTimersByTimeAsync(199);
    expect(await asked).toEqual([
      { pid: 71, worker: 1, generation: 1, unresponsive: false, isKnown: true, requests: [request], more: 0 },
      { pid: 72, worker: 2, generation: 1, unresponsive: true, isKnown: false, requests: [], more: 5 },
    ]);
  });
});
