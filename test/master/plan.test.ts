import { describe, expect, it } from 'vitest';
import {
  answerMs,
  noteDraining,
  noteExcused,
  noteExtended,
  noteHung,
  noteHurried,
  noteKilled,
  noteQuestioned,
  noteReady,
  noteReload,
  noteRenumbered,
  noteReported,
  noteRetiring,
  noteScaled,
  noteStopping,
  noteTrialPassed,
  overstayMs,
  questionMs,
  quickStopMs,
} from '../../src/master/notes.ts';
import { nextDeadline, plan, surgeOf, vacanciesOf } from '../../src/master/plan.ts';
import { type Child, childrenOf, type Pool } from '../../src/master/pool.ts';
import { beat, end, policy, poolOf, settle, spawn, spawnReady, wants } from './fixtures.ts';

describe('a new pool', () => {
  it('spawns as many as are wanted, at once, numbered from 1, each with a deadline', () => {
    const pool = poolOf(3);
    expect(plan(pool, 0)).toEqual([1, 2, 3].map((worker) => ({ type: 'spawn', worker })));
    const child = spawn(pool, 7);
    expect(child.deadline).toBe(7 + policy.bootMs);
    expect(nextDeadline(pool, 7)).toBe(1007);
  });

  it('wants nothing once all are ready', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    expect(plan(pool, 0)).toEqual([]);
  });
});

function numbersIn(pool: Pool): number[] {
  return childrenOf(pool)
    .map(({ worker }) => worker)
    .sort((one, other) => one - other);
}

describe('the number of a worker', () => {
  it('is the lowest that is free: above the target only until a predecessor has left', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2);
    expect(plan(pool, 1)).toEqual([{ type: 'spawn', worker: 3 }]);
    settle(pool, 1);
    for (let round = 0; round < 50; round++) {
      expect(numbersIn(pool)).toEqual([1, 2]);
      noteReload(pool, policy, 2);
      settle(pool, 2 + round);
    }
  });

  it('is taken over by a ready worker of the wanted generation, when the process that had it is gone', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const [first] = childrenOf(pool);
    noteReload(pool, policy, 2);
    const fresh = spawn(pool, 1);
    noteRetiring(first!, 'crashed', policy.graceMs, 1);
    expect(plan(pool, 1)).not.toContainEqual(expect.objectContaining({ type: 'renumber' }));
    noteReady(pool, fresh, 2);
    expect(plan(pool, 2)).not.toContainEqual(expect.objectContaining({ type: 'renumber' }));
    end(pool, first!, null, 3);
    expect(plan(pool, 3)).toEqual([{ type: 'renumber', child: fresh, worker: 1 }]);
    noteRenumbered(pool, fresh, 1);
    expect(plan(pool, 3)).toContainEqual({ type: 'spawn', worker: 3 });
  });

  it('is not taken over by a worker that leaves, or once the service stops', () => {
    const pool = poolOf(1);
    const first = spawnReady(pool, 0);
    noteReload(pool, policy, 1);
    const fresh = spawnReady(pool, 1);
    noteRetiring(first, 'reload', policy.graceMs, 1);
    end(pool, first, null, 2);
    beat(pool, fresh, { requests: fresh.requestLimit }, 2);
    expect(plan(pool, 2)).not.toContainEqual(expect.objectContaining({ type: 'renumber' }));
    noteStopping(pool, 'graceful', 3);
    expect(plan(pool, 3)).not.toContainEqual(expect.objectContaining({ type: 'renumber' }));
  });

  it('is above the target for a worker on trial, until that is passed and the old ones leave', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2, [], 1);
    settle(pool, 1);
    expect(numbersIn(pool)).toEqual([1, 2, 3]);
    noteTrialPassed(pool);
    settle(pool, 2);
    expect(numbersIn(pool)).toEqual([1, 2]);
  });

  it('is from 1 to N after a reload that was given up, and one with fewer or more workers', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    noteReload(pool, policy, 3);
    spawnReady(pool, 1);
    end(pool, childrenOf(pool)[0]!, 'SIGSEGV', 6000);
    // The one that follows does not boot.
    end(pool, spawn(pool, 6000), null, 6000, { hasBootError: true });
    expect(pool.generation).toBe(1);
    settle(pool, 6001);
    expect(numbersIn(pool)).toEqual([1, 2, 3]);
    for (const target of [1, 4, 2]) {
      noteReload(pool, policy, target);
      spawnReady(pool, 6002);
      noteScaled(pool, target);
      settle(pool, 6003);
      expect(numbersIn(pool)).toEqual(Array.from({ length: target }, (_, index) => index + 1));
    }
  });

  it('is left to its own next worker while that waits after failures; else the pause would be for nothing', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const [worn, failing] = childrenOf(pool);
    beat(pool, worn!, { requests: worn!.requestLimit }, 0);
    const fresh = spawnReady(pool, 0);
    expect(fresh.worker).toBe(3);
    noteRetiring(worn!, 'max_requests', policy.graceMs, 0);
    end(pool, failing!, 'SIGSEGV', 0);
    end(pool, spawnReady(pool, 0), 'SIGSEGV', 0);
    expect(vacanciesOf(pool, 1)).toMatchObject([{ worker: 2, waitMs: 499 }]);
    expect(plan(pool, 1)).toEqual([]);
    end(pool, worn!, null, 1);
    expect(plan(pool, 1)).toEqual([{ type: 'renumber', child: fresh, worker: 1 }]);
    noteRenumbered(pool, fresh, 1);
    expect(plan(pool, 1)).toEqual([]);
    expect(plan(pool, 500)).toContainEqual({ type: 'spawn', worker: 2 });
    // As fewer are wanted now, nobody waits for the number.
    noteScaled(pool, 1);
    expect(plan(pool, 2)).toEqual([]);
    expect(numbersIn(pool)).toEqual([1]);
  });

  it('is not given to another while its process lives', () => {
    const pool = poolOf(1);
    const first = spawnReady(pool, 0);
    noteRetiring(first, 'crashed', policy.graceMs, 0);
    expect(plan(pool, 0)).toEqual([{ type: 'spawn', worker: 2 }]);
    end(pool, first, null, 1);
    expect(plan(pool, 1)).toEqual([{ type: 'spawn', worker: 1 }]);
  });
});

describe('deadlines', () => {
  it('a child that does not boot in time is killed as boot_failed', () => {
    const pool = poolOf(1);
    const child = spawn(pool, 0);
    expect(plan(pool, 999)).toEqual([]);
    expect(plan(pool, 1000)).toEqual([{ type: 'kill', child, reason: 'boot_failed', isOverdue: true }]);
  });

  it('a child that stops beating is killed as hung, one that beats is not', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    beat(pool, child, { requests: 4 }, 400);
    expect(plan(pool, 899)).toEqual([]);
    expect(plan(pool, 900)).toEqual([{ type: 'question', child }]);
    noteQuestioned(child);
    expect(plan(pool, 900 + answerMs - 1)).toEqual([]);
    expect(wants(pool, 900 + answerMs)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
    expect(child.beat.requests).toBe(4);
  });

  it('a watchdog that answers a second later than it means to is still heard', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteRetiring(child, 'shutdown', 500, 0);
    noteQuestioned(child);
    const lateAt = 500 + questionMs + 900 + 1000;
    expect(plan(pool, lateAt).filter(({ type }) => type === 'kill')).toEqual([]);
    noteReported(child, lateAt, lateAt);
    expect(wants(pool, lateAt)).toMatchObject([{ type: 'kill', child }]);
  });

  it('a child that stops beating is killed as soon as its watchdog says that it is silent, or left alone if it is not', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    // Nobody has asked.
    noteReported(child, 5000, 100);
    expect(plan(pool, 499)).toEqual([]);
    noteQuestioned(child);
    noteReported(child, 10, 510);
    expect(plan(pool, 1009)).toEqual([]);
    expect(plan(pool, 1010)).toEqual([{ type: 'question', child }]);
    noteQuestioned(child);
    noteReported(child, 900, 1020);
    expect(wants(pool, 1020)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
  });

  it('a child that beats again before its watchdog has answered is left alone', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteQuestioned(child);
    beat(pool, child, {}, 600);
    expect(plan(pool, 1099)).toEqual([]);
    expect(plan(pool, 1100)).toEqual([{ type: 'question', child }]);
  });

  it('a child whose watchdog finds it hung is killed at once, whatever it says then', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteHung(child, 100);
    beat(pool, child, { requests: 4 }, 100);
    expect(wants(pool, 100)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
  });

  it('a retiring child that hangs is killed as hung, and keeps the reason it was retired for', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteRetiring(child, 'reload', 1000, 0);
    noteHung(child, 100);
    expect(wants(pool, 100)).toEqual([{ type: 'kill', child, reason: 'hung' }]);
    noteKilled(child, 'hung');
    expect(end(pool, child, 'SIGKILL', 100).reason).toBe('reload');
  });

  it('a child that is excused begins its time anew, and its count of requests stays', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    beat(pool, child, { requests: 4 }, 0);
    noteExcused(child, 400);
    expect(plan(pool, 899)).toEqual([]);
    expect(child.beat.requests).toBe(4);
    expect(wants(pool, 900)).toEqual([{ type: 'question', child }]);
  });

  it('a retiring child that overstays is killed as soon as it is known what it does', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteRetiring(child, 'shutdown', 2000, 0);
    noteStopping(pool, 'graceful', 0);
    noteReported(child, 1900, 1900);
    expect(plan(pool, 2000)).toEqual([]);
    noteQuestioned(child);
    noteReported(child, 2300, 2300);
    expect(plan(pool, 2300)).toEqual([{ type: 'kill', child, reason: 'killed', isOverdue: true }]);
  });

  it('a retiring child that overstays is asked what it does, then killed, and keeps the reason it was retired for', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteRetiring(child, 'reload', 2000, 0);
    beat(pool, child, { requests: 1 }, 1999);
    const isAbout = (action: object) => 'child' in action && action.child === child;
    const about = (now: number) => plan(pool, now).filter(isAbout);
    expect(about(2000 + questionMs - 1)).toEqual([]);
    expect(about(2000 + questionMs)).toEqual([{ type: 'question', child }]);
    noteQuestioned(child);
    expect(about(2000 + overstayMs - 1)).toEqual([]);
    expect(about(2000 + overstayMs)).toEqual([{ type: 'kill', child, reason: 'killed', isOverdue: true }]);
    noteKilled(child, 'killed');
    expect(end(pool, child, 'SIGKILL', 2000 + overstayMs).reason).toBe('reload');
  });
});

describe('recycling', () => {
  it('a child that has served enough is retired only when another serves in its place', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const [worn, other] = childrenOf(pool) as [Child, Child];
    beat(pool, worn, { requests: 109 }, 10);
    expect(plan(pool, 10)).toEqual([]);
    beat(pool, worn, { requests: 110 }, 20);
    beat(pool, other, { requests: 110 }, 20);
    expect(plan(pool, 20)).toEqual([{ type: 'spawn', worker: 3 }]);
    const fresh = spawn(pool, 20);
    expect(plan(pool, 30)).toEqual([]);
    noteReady(pool, fresh, 40);
    expect(wants(pool, 40)).toEqual([{ type: 'retire', child: worn, reason: 'max_requests' }]);
  });

  it('a child that has grown too large goes the same way', () => {
    const pool = poolOf(1);
    const large = spawnReady(pool, 0);
    // Its first beat comes with its readiness.
    beat(pool, large, { memoryBytes: 1001 }, 0);
    expect(plan(pool, 0)).toEqual([]);
    beat(pool, large, { memoryBytes: 1001 }, 10);
    expect(plan(pool, 10)).toEqual([{ type: 'spawn', worker: 2 }]);
    spawnReady(pool, 20);
    expect(wants(pool, 20)).toEqual([{ type: 'retire', child: large, reason: 'max_memory' }]);
  });

  it('a child that has served for long enough goes the same way, without a beat that says so', () => {
    const pool = poolOf(1, { maxLifetimeMs: 10_000, timeoutMs: Number.POSITIVE_INFINITY });
    const old = spawn(pool, 0);
    noteReady(pool, old, 100);
    // A twentieth of jitter: half of the tenth that there is.
    expect(nextDeadline(pool, 100)).toBe(10_600);
    expect(plan(pool, 10_599)).toEqual([]);
    expect(plan(pool, 10_600)).toEqual([{ type: 'spawn', worker: 2 }]);
    const fresh = spawn(pool, 10_600);
    expect(nextDeadline(pool, 10_600)).toBe(fresh.deadline);
    noteReady(pool, fresh, 10_700);
    expect(wants(pool, 10_700)).toEqual([{ type: 'retire', child: old, reason: 'max_lifetime' }]);
  });

  it('the final beat of a child, which has measured nothing, leaves the size that was known', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    beat(pool, child, { requests: 1, memoryBytes: 700 }, 10);
    beat(pool, child, { requests: 2, memoryBytes: 0 }, 20);
    expect(child.beat).toEqual({ requests: 2, running: 0, memoryBytes: 700 });
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
    end(pool, spawn(pool, 10), null, 20);
    expect(pool.reloadFrom).toBeUndefined();
    expect(pool.target).toBe(3);
  });

  it('lowered retires the surplus, those that still boot first', () => {
    const pool = poolOf(3);
    settle(pool, 0);
    noteScaled(pool, 'more');
    const booting = spawn(pool, 1);
    noteScaled(pool, 'fewer');
    noteScaled(pool, 'fewer');
    const actions = wants(pool, 1);
    expect(actions).toContainEqual({ type: 'kill', child: booting, reason: 'scaled_down' });
    expect(actions).toHaveLength(2);
  });

  it('lowered keeps the lowest numbers, whatever their age', () => {
    const pool = poolOf(4);
    settle(pool, 0);
    for (const worker of [2, 3]) end(pool, pool.children.get(worker)!, null, 1);
    settle(pool, 2);
    noteScaled(pool, 2);
    settle(pool, 3);
    expect(
      childrenOf(pool)
        .map(({ worker }) => worker)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('has a small surge for reloads', () => {
    expect([1, 2, 4, 8, 16].map(surgeOf)).toEqual([1, 1, 1, 2, 4]);
  });
});

describe('a reload', () => {
  it('retires an old child only when a new one is ready in its place', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const old = childrenOf(pool);
    noteReload(pool, policy, 2);
    expect(plan(pool, 1)).toEqual([{ type: 'spawn', worker: 3 }]);
    const fresh = spawn(pool, 1);
    expect(plan(pool, 1)).toEqual([]);
    noteReady(pool, fresh, 2);
    expect(wants(pool, 2)).toContainEqual({ type: 'retire', child: old[0], reason: 'reload' });
  });

  it('is finished when no old child accepts any more, though one may still finish its requests', () => {
    const pool = poolOf(1);
    const old = spawnReady(pool, 0);
    noteReload(pool, policy, 1);
    spawnReady(pool, 1);
    noteRetiring(old, 'reload', 2000, 1);
    expect(plan(pool, 1)).toEqual([]);
    noteDraining(old);
    expect(plan(pool, 1)).toEqual([{ type: 'finish_reload' }]);
  });

  it('that fails goes back to the generation before, and leaves its children alone', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2);
    const broken = spawn(pool, 1);
    expect(end(pool, broken, null, 2)).toMatchObject({
      reason: 'boot_failed',
      consequence: { type: 'reload_failed' },
    });
    expect(pool).toMatchObject({ generation: 1, reloadFrom: undefined });
    expect(plan(pool, 2)).toEqual([]);
  });

  it('fails too when a new child crashes before its first request', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    noteReload(pool, policy, 2);
    const broken = spawnReady(pool, 1);
    expect(end(pool, broken, 'SIGABRT', 400)).toMatchObject({
      reason: 'crashed',
      consequence: { type: 'reload_failed' },
    });
    expect(pool.generation).toBe(1);
    expect(plan(pool, 400)).toEqual([]);
  });

  it('that fails keeps what signals had changed before, as does one that succeeds', () => {
    const pool = poolOf(2);
    noteScaled(pool, 'more');
    settle(pool, 0);
    noteReload(pool, policy, 5);
    const broken = spawn(pool, 1);
    noteScaled(pool, 'more');
    expect(pool.target).toBe(6);
    end(pool, broken, null, 2);
    expect(pool.target).toBe(4);
    settle(pool, 3);
    noteReload(pool, policy, 5);
    settle(pool, 4);
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
    end(pool, spawn(pool, 2), null, 3);
    expect(pool.target).toBe(1);
  });

  it('overtaken by another kills what still boots, and can still go back to the last complete generation', () => {
    const pool = poolOf(1);
    settle(pool, 0);
    noteReload(pool, policy, 1);
    const overtaken = spawn(pool, 1);
    noteReload(pool, policy, 1);
    expect(wants(pool, 2)).toContainEqual({ type: 'kill', child: overtaken, reason: 'reload' });
    expect(pool.reloadFrom).toBe(1);
  });
});

describe('a stop', () => {
  it('asks those that serve, kills those that boot, and ends when all are gone', () => {
    const pool = poolOf(2);
    const ready = spawnReady(pool, 0);
    const booting = spawn(pool, 0);
    noteStopping(pool, 'graceful', 1);
    expect(wants(pool, 1)).toEqual([
      { type: 'retire', child: ready, reason: 'shutdown' },
      { type: 'kill', child: booting, reason: 'shutdown' },
    ]);
    end(pool, ready, null, 2);
    end(pool, booting, 'SIGKILL', 2);
    expect(plan(pool, 2)).toEqual([{ type: 'stop' }]);
  });

  it('gives idle connections less time than a replacement does, and never more than half of the grace', () => {
    const stopped = poolOf(1);
    const child = spawnReady(stopped, 0);
    noteStopping(stopped, 'graceful', 0);
    expect(plan(stopped, 0)).toMatchObject([{ type: 'retire', graceMs: 2000, idleGraceMs: 1000 }]);
    const scaled = poolOf(2, { graceMs: 60_000 });
    settle(scaled, 0);
    noteScaled(scaled, 'fewer');
    expect(plan(scaled, 0)).toMatchObject([{ type: 'retire', graceMs: 60_000, idleGraceMs: 5000 }]);
    expect(child.state).toBe('ready');
  });

  it('of a service without a worker lets one come up, for the clients that wait, and no longer than others may finish', () => {
    const pool = poolOf(2, { bootMs: 60_000 });
    end(pool, spawnReady(pool, 0), 'SIGABRT', 0);
    const first = spawn(pool, 0);
    const second = spawn(pool, 0);
    noteStopping(pool, 'graceful', 10);
    expect(wants(pool, 10)).toEqual([{ type: 'kill', child: second, reason: 'shutdown' }]);
    expect(first.deadline).toBe(10 + policy.graceMs);
    end(pool, second, 'SIGKILL', 11);
    noteReady(pool, first, 20);
    expect(wants(pool, 20)).toEqual([{ type: 'retire', child: first, reason: 'shutdown' }]);
  });

  it('before the first service waits for nobody', () => {
    const pool = poolOf(1);
    const child = spawn(pool, 0);
    noteStopping(pool, 'graceful', 10);
    expect(wants(pool, 10)).toEqual([{ type: 'kill', child, reason: 'shutdown' }]);
  });

  it('that is quick asks once, also those that finish already, and shortens their time', () => {
    const pool = poolOf(3);
    const ready = spawnReady(pool, 0);
    const retiring = spawnReady(pool, 0);
    const booting = spawn(pool, 0);
    noteRetiring(retiring, 'reload', 30_000, 0);
    noteStopping(pool, 'quick', 0);
    expect(plan(pool, 0)).toEqual([
      { type: 'hurry', child: ready, graceMs: quickStopMs },
      { type: 'hurry', child: retiring, graceMs: quickStopMs },
      { type: 'kill', child: booting, reason: 'shutdown', isOverdue: false },
    ]);
    for (const child of [ready, retiring]) noteHurried(child, 0);
    noteKilled(booting, 'shutdown');
    expect(plan(pool, 0)).toEqual([]);
    expect([ready, retiring].map(({ deadline }) => deadline)).toEqual(Array(2).fill(quickStopMs + overstayMs));
  });

  it('that is asked for again kills all that is left', () => {
    const pool = poolOf(2);
    settle(pool, 0);
    const children = childrenOf(pool);
    noteStopping(pool, 'graceful', 0);
    for (const child of children) noteRetiring(child, 'shutdown', 30_000, 0);
    noteStopping(pool, 'immediate', 1);
    noteStopping(pool, 'graceful', 2);
    expect(wants(pool, 2)).toEqual(children.map((child) => ({ type: 'kill', child, reason: 'shutdown' })));
  });
});

describe('a worker that writes its heap to a file', () => {
  it('has the time for that, whatever the grace and the timeout are', () => {
    const pool = poolOf(1);
    const child = spawnReady(pool, 0);
    noteRetiring(child, 'killed', policy.graceMs, 0);
    noteExtended(pool, child, 60_000);
    expect(wants(pool, 59_999)).not.toContainEqual(expect.objectContaining({ child }));
    expect(wants(pool, 60_000)).toContainEqual({ type: 'kill', child, reason: 'killed' });
  });

  it('has no more than the grace once the service stops, whichever comes first', () => {
    const pool = poolOf(2);
    const [early, late] = [spawnReady(pool, 0), spawnReady(pool, 0)];
    for (const child of [early, late]) noteRetiring(child!, 'killed', policy.graceMs, 0);
    noteExtended(pool, early!, 600_000);
    noteStopping(pool, 'graceful', 100);
    noteExtended(pool, late!, 600_000);
    const end = 100 + policy.graceMs + overstayMs;
    for (const child of [early, late])
      expect(wants(pool, end)).toContainEqual({ type: 'kill', child, reason: 'killed' });
  });
});
