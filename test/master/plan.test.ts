import { describe, expect, it } from 'vitest';
import { nextLook, plan, surgeOf } from '../../src/master/plan.ts';
import {
  addChild,
  type Child,
  calmMs,
  childrenOf,
  createPool,
  noteBeat,
  noteDraining,
  noteExcused,
  noteExit,
  noteHung,
  noteKilled,
  noteReady,
  noteReload,
  noteRetiring,
  noteScaled,
  noteStopping,
  overstayMs,
  type Pool,
} from '../../src/master/pool.ts';

const policy = {
  bootMs: 1000,
  timeoutMs: 500,
  graceMs: 2000,
  maxRequests: 100,
  requestsJitter: 20,
  maxMemoryBytes: 1000,
};

function poolOf(target: number): Pool {
  return createPool(policy, target, () => 0.5);
}

/** Does what the plan says, as the master would, with workers that boot at once. */
function settle(pool: Pool, now: number): void {
  for (let round = 0; round < 100; round++) {
    const actions = plan(pool, now);
    if (actions.length === 0) return;
    for (const action of actions) {
      if (action.type === 'spawn') noteReady(pool, addChild(pool, now), now);
      else if (action.type === 'finish_reload') pool.reloadFrom = undefined;
      else if (action.type === 'retire' || action.type === 'kill') {
        noteRetiring(action.child, action.reason, now + policy.graceMs);
        noteExit(pool, action.child, null, now);
      } else return;
    }
  }
  throw new Error('the plan does not settle');
}

describe('a new pool', () => {
  it('spawns as many as are wanted, at once, each with a deadline', () => {
    const pool = poolOf(3);
    const actions = plan(pool, 0);
    expect(actions).toEqual([{ type: 'spawn' }, { type: 'spawn' }, { type: 'spawn' }]);
    const child = addChild(pool, 7);
    expect(child.deadline).toBe(7 + policy.bootMs);
    expect(nextLook(pool, 7)).toBe(1007);
  });

  it('wants nothing once all are ready', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    expect(plan(pool, 0)).toEqual([]);
  });
});

describe('deadlines', () => {
  it('a child that does not boot in time is killed as boot_failed', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    expect(plan(pool, 999)).toEqual([]);
    expect(plan(pool, 1000)).toEqual([{ type: 'kill', child, reason: 'boot_failed' }]);
  });

  it('a child that stops beating is killed as hung, one that beats is not', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteReady(pool, child, 0);
    noteBeat(pool, child, 4, 0, 400);
    expect(plan(pool, 500)).toEqual([]);
    expect(plan(pool, 900)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
    expect(child.requests).toBe(4);
  });

  it('a child whose watchdog finds it hung is killed at once, whatever it says then', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteReady(pool, child, 0);
    noteHung(child, 100);
    noteBeat(pool, child, 4, 0, 100);
    expect(plan(pool, 100)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
  });

  it('a retiring child that hangs is killed as hung, and keeps the reason it was retired for', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteReady(pool, child, 0);
    noteRetiring(child, 'reload', 1000);
    noteHung(child, 100);
    expect(plan(pool, 100)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
    noteKilled(child, 'hung');
    expect(noteExit(pool, child, 'SIGKILL', 100)).toBe('reload');
  });

  it('a child that is excused begins its time anew, and its count of requests stays', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteReady(pool, child, 0);
    noteBeat(pool, child, 4, 0, 0);
    noteExcused(child, 400);
    expect(plan(pool, 899)).toEqual([]);
    expect(child.requests).toBe(4);
    expect(plan(pool, 900)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
  });

  it('a retiring child that overstays is killed, and keeps the reason it was retired for', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteReady(pool, child, 0);
    noteRetiring(child, 'reload', 2000);
    noteBeat(pool, child, 1, 0, 1999);
    const end = 2000 + overstayMs;
    expect(plan(pool, end - 1)).not.toContainEqual(expect.objectContaining({ type: 'kill' }));
    expect(plan(pool, end)).toMatchObject([{ type: 'kill', child }]);
    noteKilled(child, 'killed');
    expect(noteExit(pool, child, 'SIGKILL', end)).toBe('reload');
  });
});

describe('recycling', () => {
  it('a child that has served enough is retired only when another serves in its place', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const [worn, other] = childrenOf(pool) as [Child, Child];
    noteBeat(pool, worn, 109, 0, 10);
    expect(plan(pool, 10)).toEqual([]);
    noteBeat(pool, worn, 110, 0, 20);
    noteBeat(pool, other, 110, 0, 20);
    expect(plan(pool, 20)).toEqual([{ type: 'spawn' }]);
    const fresh = addChild(pool, 20);
    expect(plan(pool, 30)).toEqual([]);
    noteReady(pool, fresh, 40);
    expect(plan(pool, 40)).toEqual([{ type: 'retire', child: worn, reason: 'max_requests' }]);
  });

  it('a child that has grown too large goes the same way', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    const [large] = childrenOf(pool) as [Child];
    noteBeat(pool, large, 1, 1001, 10);
    expect(plan(pool, 10)).toEqual([{ type: 'spawn' }]);
    noteReady(pool, addChild(pool, 10), 20);
    expect(plan(pool, 20)).toEqual([{ type: 'retire', child: large, reason: 'max_memory' }]);
  });

  it('waits longer each time when children are too large from the start', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    const pauses: number[] = [];
    for (let now = 1000; pauses.length < 4; now = Math.max(now, pool.resumeAt)) {
      const child = addChild(pool, now);
      noteReady(pool, child, now);
      noteRetiring(child, 'max_memory', now + 10);
      noteExit(pool, child, null, now);
      pauses.push(pool.resumeAt - now);
    }
    expect(pauses).toEqual([0, 500, 1000, 2000]);
  });
});

describe('the worker count', () => {
  it('goes to none by dismissal, and up again one by one', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    noteScaled(pool, 'dismiss');
    settle(pool, 10);
    expect(childrenOf(pool)).toEqual([]);
    expect(plan(pool, 20)).toEqual([]);
    noteScaled(pool, 'fewer');
    expect(pool.target).toBe(0);
    noteScaled(pool, 'more');
    expect(pool.target).toBe(1);
    noteScaled(pool, 'fewer');
    expect(pool.target).toBe(1);
  });

  it('that changes during a reload holds if the reload fails', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 5);
    noteScaled(pool, 'more');
    expect(pool.target).toBe(6);
    noteExit(pool, addChild(pool, 10), null, 20);
    expect(pool.reloadFrom).toBeUndefined();
    expect(pool.target).toBe(3);
  });
});

describe('a reload', () => {
  it('retires an old child only when a new one is ready in its place', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const old = childrenOf(pool);
    noteReload(pool, policy, 2);
    expect(plan(pool, 1)).toEqual([{ type: 'spawn' }]);
    const fresh = addChild(pool, 1);
    expect(plan(pool, 1)).toEqual([]);
    noteReady(pool, fresh, 2);
    expect(plan(pool, 2)).toContainEqual({ type: 'retire', child: old[0], reason: 'reload' });
  });

  it('is finished when no old child accepts any more, though one may still finish its requests', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    const [old] = childrenOf(pool) as [Child];
    noteReload(pool, policy, 1);
    noteReady(pool, addChild(pool, 1), 1);
    noteRetiring(old, 'reload', 2001);
    expect(plan(pool, 1)).toEqual([]);
    noteDraining(old);
    expect(plan(pool, 1)).toEqual([{ type: 'finish_reload' }]);
  });

  it('that fails goes back to the generation before, and leaves its children alone', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2);
    const broken = addChild(pool, 1);
    expect(noteExit(pool, broken, null, 2)).toBe('boot_failed');
    expect(pool).toMatchObject({ generation: 1, reloadFrom: undefined });
    expect(plan(pool, 2)).toEqual([]);
  });

  it('that fails keeps the count that signals had set', () => {
    const pool = poolOf(2);
    pool.target = 3;
    settle(pool, 0);
    noteReload(pool, policy, 1);
    noteExit(pool, addChild(pool, 1), null, 2);
    expect(pool.target).toBe(3);
    expect(plan(pool, 2)).toEqual([]);
  });

  it('that fails keeps what signals change while it is under way, as does one that succeeds', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 5);
    const broken = addChild(pool, 1);
    noteScaled(pool, 'more');
    expect(pool.target).toBe(6);
    noteExit(pool, broken, null, 2);
    expect(pool.target).toBe(3);
    settle(pool, pool.resumeAt);
    noteReload(pool, policy, 5);
    settle(pool, pool.resumeAt);
    noteScaled(pool, 'fewer');
    expect(pool.target).toBe(4);
  });

  it('whose success is past is not touched by a count that changes later', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 1);
    settle(pool, 1);
    noteScaled(pool, 'fewer');
    expect(pool.target).toBe(1);
    noteReload(pool, policy, 4);
    noteExit(pool, addChild(pool, 2), null, 3);
    expect(pool.target).toBe(1);
  });

  it('overtaken by another kills what still boots, and can still go back to the last complete generation', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    noteReload(pool, policy, 1);
    const overtaken = addChild(pool, 1);
    noteReload(pool, policy, 1);
    expect(plan(pool, 2)).toContainEqual({ type: 'kill', child: overtaken, reason: 'reload' });
    expect(pool.reloadFrom).toBe(1);
  });
});

describe('children that die', () => {
  const crash = (pool: Pool, now: number) => {
    const [child] = childrenOf(pool) as [Child];
    noteExit(pool, child, 'SIGSEGV', now);
    return pool.resumeAt - now;
  };

  it('of themselves and young are replaced at once the first time, then after growing pauses, up to a bound', () => {
    const pool = poolOf(1);
    const pauses: number[] = [];
    let now = 0;
    for (let round = 0; round < 10; round++) {
      settle(pool, now);
      pauses.push(Math.max(0, crash(pool, now)));
      expect(plan(pool, now).some(({ type }) => type === 'spawn')).toBe(pauses.at(-1) === 0);
      now = Math.max(now, pool.resumeAt);
    }
    expect(pauses).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('after a calm minute are replaced at once again', () => {
    const pool = poolOf(1);
    for (let round = 0; round < 5; round++) {
      settle(pool, pool.resumeAt);
      crash(pool, pool.resumeAt);
    }
    const later = pool.resumeAt + calmMs + 1;
    settle(pool, later);
    expect(crash(pool, later)).toBeLessThanOrEqual(0);
  });

  it('by someone else’s hand are replaced within a moment, however often', () => {
    const pool = poolOf(1);
    for (let now = 0, round = 0; round < 100; round++, now = Math.max(now, pool.resumeAt)) {
      settle(pool, now);
      const [child] = childrenOf(pool) as [Child];
      expect(noteExit(pool, child, 'SIGKILL', now)).toBe('killed');
      expect(pool.resumeAt - now).toBeLessThanOrEqual(500);
    }
  });
});

describe('the count', () => {
  it('lowered retires the surplus, those that still boot first', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    pool.target = 4;
    const booting = addChild(pool, 1);
    pool.target = 2;
    const actions = plan(pool, 1);
    expect(actions).toContainEqual({ type: 'kill', child: booting, reason: 'scaled_down' });
    expect(actions).toHaveLength(2);
  });

  it('has a small surge for reloads', () => {
    expect([1, 2, 4, 8, 16].map(surgeOf)).toEqual([1, 1, 1, 2, 4]);
  });
});

describe('a stop', () => {
  it('asks those that serve, kills those that boot, and ends when all are gone', () => {
    const pool = poolOf(2);
    const ready = addChild(pool, 0);
    noteReady(pool, ready, 0);
    const booting = addChild(pool, 0);
    pool.isStopping = true;
    expect(plan(pool, 1)).toEqual([
      { type: 'retire', child: ready, reason: 'shutdown' },
      { type: 'kill', child: booting, reason: 'shutdown' },
    ]);
    noteExit(pool, ready, null, 2);
    noteExit(pool, booting, 'SIGKILL', 2);
    expect(plan(pool, 2)).toEqual([{ type: 'stop' }]);
  });

  it('of a service without a worker lets one come up, for the clients that wait, and no longer than others may finish', () => {
    const pool = poolOf(2);
    pool.hasServed = true;
    const first = addChild(pool, 0);
    const second = addChild(pool, 0);
    first.deadline = second.deadline = 60_000;
    noteStopping(pool, 10);
    expect(plan(pool, 10)).toEqual([{ type: 'kill', child: second, reason: 'shutdown' }]);
    expect(first.deadline).toBe(10 + policy.graceMs);
    noteExit(pool, second, 'SIGKILL', 11);
    noteReady(pool, first, 20);
    expect(plan(pool, 20)).toEqual([{ type: 'retire', child: first, reason: 'shutdown' }]);
  });

  it('before the first service waits for nobody', () => {
    const pool = poolOf(1);
    const child = addChild(pool, 0);
    noteStopping(pool, 10);
    expect(plan(pool, 10)).toEqual([{ type: 'kill', child, reason: 'shutdown' }]);
  });
});
