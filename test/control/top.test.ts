/** The live screen: what it shows and what keys do, without a terminal. */

import { describe, expect, it } from 'vitest';
import type { FullStatus } from '../../src/control/status.ts';
import { Keys, keysIn } from '../../src/control/top/keys.ts';
import { type Look, type Row, Sampler } from '../../src/control/top/samples.ts';
import { paint } from '../../src/control/top/terminal.ts';
import { draw, sorted, type View } from '../../src/control/top/view.ts';
import type { WorkerRequests } from '../../src/master/children/running.ts';
import type { CountersSummary } from '../../src/master/metrics/summary.ts';

type Worker = FullStatus['workers'][number];

const worker = (number: number, changes: Partial<Worker> = {}): Worker => ({
  pid: 70 + number,
  worker: number,
  generation: 1,
  state: 'ready',
  uptimeMs: 5000,
  requests: 100,
  running: 0,
  rssBytes: number * 2 ** 20,
  unresponsive: false,
  silentMs: 0,
  ...changes,
});

const statusOf = (workers: Worker[], changes: Partial<FullStatus> = {}): FullStatus => ({
  pid: 7,
  version: '1.2.3',
  state: 'serving',
  generation: 1,
  uptimeMs: 61_000,
  wanted: workers.length,
  ready: workers.length,
  workers,
  requests: workers.reduce((sum, { requests }) => sum + requests, 0),
  lastExit: null,
  pausedMs: 0,
  app: 'app.ts',
  addresses: ['127.0.0.1:8000'],
  workerClass: 'async',
  procName: 'shop',
  node: 'v20.19.0',
  otherMaster: null,
  ...changes,
});

const running = (number: number, requests: WorkerRequests['requests']): WorkerRequests => ({
  pid: 70 + number,
  worker: number,
  generation: 1,
  unresponsive: false,
  isKnown: true,
  requests,
  more: 0,
});

const cpu = new Map<number, number>();
const system = { cpuMs: (pid: number) => cpu.get(pid), queueOf: () => 3 };
const nothing: CountersSummary = { exits: 4, bounds: [0.01, 0.1], durations: undefined, workers: [] };
const look = (at: number, workers: Worker[], list: WorkerRequests[] = [], changes = {}, counters = nothing): Look => ({
  at,
  status: statusOf(workers, changes),
  running: list,
  counters,
});

function sampleOfTwo() {
  const sampler = new Sampler(system);
  cpu.set(71, 1000).set(72, 500);
  sampler.take(look(0, [worker(1), worker(2)]));
  cpu.set(71, 2800).set(72, 510);
  return sampler.take(
    look(
      2000,
      [worker(1, { requests: 100, unresponsive: true, silentMs: 2500 }), worker(2, { requests: 400 })],
      [running(1, [{ method: 'GET', path: '/slow\u001b[2J', ms: 2600, client: '127.0.0.1:5' }])],
    ),
  );
}

const base: View = {
  sample: sampleOfTwo(),
  sorting: 'worker',
  selected: undefined,
  message: '',
  text: undefined,
  clock: '12:00:00',
};

describe('from one look to the next', () => {
  it('there are rates, CPU time, and the oldest request', () => {
    const sampler = new Sampler(system);
    cpu.set(71, 1000);
    expect(sampler.take(look(0, [worker(1)]))).toMatchObject({ requestsPerSecond: undefined, queue: 3 });
    cpu.set(71, 1500);
    const second = sampler.take(
      look(1000, [worker(1, { requests: 150 })], [running(1, [{ method: 'GET', path: '/', ms: 5 }])]),
    );
    expect(second).toMatchObject({ requestsPerSecond: 50, quantilesMs: undefined });
    expect(second.rows).toMatchObject([{ requestsPerSecond: 50, cpu: 0.5, running: 1, current: { path: '/' } }]);
    const third = sampler.take(look(2000, [worker(2, { requests: 9 })], [], { requests: 160 }));
    expect(third).toMatchObject({ requestsPerSecond: 10 });
    expect(third.rows).toMatchObject([{ requestsPerSecond: undefined, cpu: undefined }]);
  });

  it('another master has rates of its own', () => {
    const sampler = new Sampler(system);
    sampler.take(look(0, [worker(1)]));
    expect(sampler.take(look(1000, [worker(2)], [], { pid: 8 }))).toMatchObject({
      requestsPerSecond: undefined,
      quantilesMs: undefined,
    });
  });

  it('there are durations, event loops and their lag, where those are counted', () => {
    const sampler = new Sampler(system);
    const of = (...durations: number[]): CountersSummary => ({
      ...nothing,
      durations,
      workers: [{ worker: 1, utilization: 0.25, delaySeconds: 0.012 }],
    });
    expect(sampler.take(look(0, [worker(1)], [], {}, of(1000, 1000, 1000))).quantilesMs).toBeUndefined();
    const second = sampler.take(look(1000, [worker(1)], [], {}, of(1060, 1037, 1003)));
    expect(second.quantilesMs).toEqual([10, 100, Number.POSITIVE_INFINITY]);
    const texts = (width: number) => draw({ ...base, sample: second }, width, 24).map(({ text }) => text.trimEnd());
    expect(texts(80)[2]).toBe('requests: 0 per second, 0 running; p50 <10 ms, p95 <100 ms, p99 over 10 s');
    expect(texts(80)[5]).not.toContain('LAG');
    expect(texts(100).slice(5, 7)).toEqual([
      'WORKER  PID  GEN  STATE  REQ/S  RUN  CPU  MEMORY  LOOP    LAG  OLDEST REQUEST',
      '     1   71    1  ready      0    0  0 %   1 MiB  25 %  12 ms',
    ]);
    expect(sampler.take(look(2000, [worker(1)], [], {}, of(1060, 1037, 1003))).quantilesMs).toBeUndefined();
  });

  it('CPU and accept queue are those of the system', () => {
    const own = new Sampler().take(look(0, [worker(1, { pid: process.pid })]));
    if (process.platform === 'linux') expect(own.queue).toBeGreaterThanOrEqual(0);
    expect(own.rows).toHaveLength(1);
  });
});

describe('the screen', () => {
  it.each([
    [80, 24],
    [200, 50],
    [40, 8],
    [1, 1],
  ])('fills %d × %d, and no more', (width, height) => {
    const lines = draw(base, width, height);
    expect(lines).toHaveLength(height);
    expect(lines.filter(({ text }) => text.length > width)).toEqual([]);
  });

  it('has the service, each worker with its oldest request, and the oldest requests', () => {
    const lines = draw({ ...base, selected: 72 }, 100, 14);
    expect(lines.map(({ text }) => text.trimEnd())).toEqual([
      `${'tsgun 1.2.3, async, master 7, up 1m01s: app.ts'.padEnd(92)}12:00:00`,
      'serving, generation 1; workers: 2 of 2 ready, 1 UNRESPONSIVE',
      'requests: 150 per second, 1 running',
      'accept queue: 3; exits: 4; last exit: none',
      '',
      'WORKER  PID  GEN  STATE   REQ/S  RUN   CPU  MEMORY  OLDEST REQUEST',
      '     1   71    1  SILENT      0    1  90 %   1 MiB  2.6 s GET /slow\\x1b[2J',
      '     2   72    1  ready     150    0   1 %   2 MiB',
      '',
      '  AGE  CPU  WORKER  THREAD  CLIENT       REQUEST',
      '2.6 s    -       1       -  127.0.0.1:5  GET /slow\\x1b[2J',
      '',
      '',
      'q quit  s stacks  r reload  +/- scale  k kill  o sort  up/down select',
    ]);
    expect(lines.map(({ style }) => style ?? '-').join(' ')).toBe('bold - - - - bold - inverse - bold - - - inverse');
  });

  it('is painted over what was there', () => {
    expect(paint([{ text: 'a', style: 'bold' }, { text: 'b' }])).toBe(
      '\u001b[H\u001b[1ma\u001b[0m\u001b[K\r\nb\u001b[K\u001b[J',
    );
  });

  it('is in order of what is asked for', () => {
    const { rows } = base.sample!;
    expect(sorted(rows, 'cpu').map(({ worker }) => worker)).toEqual([1, 2]);
    expect(sorted(rows, 'memory').map(({ worker }) => worker)).toEqual([2, 1]);
    expect(sorted(rows, 'requests/s').map(({ worker }: Row) => worker)).toEqual([2, 1]);
    expect(sorted(rows, 'age').map(({ worker }) => worker)).toEqual([1, 2]);
  });
});

describe('keys', () => {
  const press = (keys: Keys, view: View, ...pressed: string[]) => {
    let reaction = keys.press(pressed[0]!, view);
    for (const key of pressed.slice(1)) {
      if (reaction.type === 'quit') throw new Error('it has ended');
      reaction = keys.press(key, reaction.view);
    }
    return reaction;
  };

  it('are told apart in what a terminal sends', () => {
    expect(keysIn('q\u001b[A\u001b[B\u001bOA\u001b[5~\u0003\u001b')).toEqual([
      'q',
      'up',
      'down',
      'up',
      '\u001b[5~',
      'interrupt',
      'escape',
    ]);
  });

  it('select, sort and scale', () => {
    expect(press(new Keys(), base, 'down')).toMatchObject({ view: { selected: 71 } });
    expect(press(new Keys(), base, 'down', 'down', 'down')).toMatchObject({ view: { selected: 72 } });
    expect(press(new Keys(), base, 'up', 'up')).toMatchObject({ view: { selected: 71 } });
    expect(press(new Keys(), base, 'o')).toMatchObject({ view: { sorting: 'cpu', message: 'sorted by cpu' } });
    expect(press(new Keys(), base, '+')).toMatchObject({ type: 'ask', order: { command: 'scale', workers: 3 } });
    const one: View = { ...base, sample: new Sampler(system).take(look(0, [worker(1)])) };
    expect(press(new Keys(), one, '-')).toMatchObject({ type: 'view', view: { message: 'from 1 to 1024 workers' } });
  });

  it('ask before they reload or kill, and take anything but y for no', () => {
    expect(press(new Keys(), base, 'k')).toMatchObject({ view: { message: 'select a worker first: up, down' } });
    const asked = press(new Keys(), base, 'down', 'k');
    expect(asked).toMatchObject({
      type: 'view',
      view: { message: 'kill worker 1 (71), running 1? y: yes, any other key: no' },
    });
    expect(press(new Keys(), base, 'down', 'k', 'y')).toMatchObject({
      type: 'ask',
      order: { command: 'kill', pid: 71 },
    });
    expect(press(new Keys(), base, 'down', 'k', 'q')).toMatchObject({ type: 'view', view: { message: 'not done' } });
    expect(press(new Keys(), base, 'down', 'k', 'q', 'y')).toMatchObject({ type: 'view' });
    expect(press(new Keys(), base, 'r', 'y')).toMatchObject({ type: 'ask', order: { command: 'reload', wait: true } });
  });

  it('show stacks, and scroll in them', () => {
    expect(press(new Keys(), base, 's')).toMatchObject({ type: 'stacks', pid: undefined });
    expect(press(new Keys(), base, 'down', 's')).toMatchObject({ type: 'stacks', pid: 71 });
    const text: View = { ...base, text: { lines: ['a', 'b', 'c'], from: 0 } };
    expect(press(new Keys(), text, 'down', 'down', 'down')).toMatchObject({ view: { text: { from: 2 } } });
    expect(draw({ ...text, text: { lines: ['a', 'b', 'c'], from: 1 } }, 80, 3).map((line) => line.text)).toEqual([
      'b',
      'c',
      'up/down scroll  q back',
    ]);
    expect(press(new Keys(), text, 'q')).toMatchObject({ type: 'view', view: { text: undefined } });
  });

  it('end it: q, escape, Ctrl-C from everywhere', () => {
    for (const key of ['q', 'escape', 'interrupt']) expect(press(new Keys(), base, key)).toEqual({ type: 'quit' });
    expect(press(new Keys(), { ...base, text: { lines: ['a'], from: 0 } }, 'interrupt')).toEqual({ type: 'quit' });
    expect(press(new Keys(), base, 'r', 'interrupt')).toEqual({ type: 'quit' });
  });
});
