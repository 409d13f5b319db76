import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Mishap, mishaps } from '../../src/config/values/chaos.ts';
import type { MasterMessage } from '../../src/ipc/messages.ts';
import { Chaos } from '../../src/master/chaos.ts';
import { noteForked, noteStopping } from '../../src/master/notes.ts';
import { poolOf, spawnReady } from './fixtures.ts';

describe('what goes wrong on purpose', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Two workers, and draws of chance: of the time to the next mishap, and of who is hit. */
  function begin(wanted: readonly Mishap[], draws = 0.5) {
    const pool = poolOf(2);
    noteForked(spawnReady(pool, 0), 101);
    noteForked(spawnReady(pool, 0), 102);
    const sent: [number, MasterMessage][] = [];
    const lines: string[] = [];
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const chaos = new Chaos({
      pool,
      log: () => ({ say: (level: string, _: object, message: string) => lines.push(`${level} ${message}`) }) as never,
      send: (child, message) => sent.push([child.worker, message]),
      random: () => draws,
    });
    chaos.follow(wanted);
    return { pool, chaos, sent, lines, kill };
  }
  /** The median of an exponential distribution, of a mean of a minute. */
  const medianMs = Math.log(2) * 60_000;

  it('is at random times, as often as was asked for, to a random worker that serves', () => {
    const { kill, lines, chaos } = begin([{ kind: 'kill', times: 2, per: 'min', seconds: 0 }]);
    vi.advanceTimersByTime(medianMs / 2 - 1);
    expect(kill).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(kill.mock.calls).toEqual([[102, 'SIGKILL']]);
    vi.advanceTimersByTime(medianMs / 2);
    expect(kill).toHaveBeenCalledTimes(2);
    expect(lines).toEqual([
      'warn chaos: workers are made to fail on purpose',
      'warn chaos: a worker is killed',
      'warn chaos: a worker is killed',
    ]);
    chaos.close();
    vi.advanceTimersByTime(medianMs * 10);
    expect(kill).toHaveBeenCalledTimes(2);
  });

  it('blocks one worker, or keeps all from accepting', () => {
    const { sent } = begin([
      { kind: 'stall', times: 1, per: 'min', seconds: 2 },
      { kind: 'slow-accept', times: 1, per: 'min', seconds: 5 },
    ]);
    vi.advanceTimersByTime(medianMs + 1);
    expect(sent).toEqual([
      [2, { type: 'chaos', kind: 'stall', ms: 2000 }],
      [1, { type: 'chaos', kind: 'slow-accept', ms: 5000 }],
      [2, { type: 'chaos', kind: 'slow-accept', ms: 5000 }],
    ]);
  });

  it('goes on over a reload that wants the same of it, ends with one that wants none, and with the service', () => {
    const wanted: Mishap[] = [{ kind: 'kill', times: 1, per: 'min', seconds: 0 }];
    const { chaos, kill, lines, pool } = begin(wanted);
    chaos.follow(wanted);
    expect(lines).toHaveLength(1);
    noteStopping(pool, 'graceful', 0);
    vi.advanceTimersByTime(medianMs * 2);
    chaos.follow([]);
    vi.advanceTimersByTime(medianMs * 20);
    expect(kill).not.toHaveBeenCalled();
  });
});

describe('the setting', () => {
  it.each([
    ['kill=1/min', [{ kind: 'kill', times: 1, per: 'min', seconds: 0 }]],
    [
      'kill=30/h, stall',
      [
        { kind: 'kill', times: 30, per: 'h', seconds: 0 },
        { kind: 'stall', times: 1, per: 'min', seconds: 1 },
      ],
    ],
    ['slow-accept=0.5s@2/s', [{ kind: 'slow-accept', times: 2, per: 's', seconds: 0.5 }]],
    [['stall=2s'], [{ kind: 'stall', times: 1, per: 'min', seconds: 2 }]],
  ])('%j', (raw, expected) => {
    expect(mishaps(raw)).toEqual(expected);
    expect(mishaps(mishaps.show(mishaps(raw)))).toEqual(expected);
  });

  it.each(['', 'kill', 'kill=0/min', 'kill=1', 'kill=100/s', 'stall=2', 'stall=0s', 'stall=2s@0/min', 'boom=1/min', 7])(
    'refuses %j',
    (raw) => {
      expect(() => mishaps(raw)).toThrow();
    },
  );
});
