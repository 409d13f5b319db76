/** What the commands for a running instance print, from what the master says. */

import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { commandIn, commandNames } from '../../src/control/names.ts';
import { readOptions, renderHelpOf } from '../../src/control/options.ts';
import { toPprof } from '../../src/control/pprof.ts';
import { hottest, merge } from '../../src/control/profiles.ts';
import { listRequests, renderRequests, renderStacks } from '../../src/control/requests.ts';
import { type FullStatus, renderStatus, type WorkerStatus } from '../../src/control/status.ts';
import { bytes, clean, count, duration, widthOf } from '../../src/control/text.ts';
import type { CpuProfile } from '../../src/ipc/profiles.ts';

const worker = (number: number, changes: Partial<WorkerStatus> = {}): WorkerStatus => ({
  pid: 4_194_000 + number,
  worker: number,
  generation: 12,
  state: 'ready',
  uptimeMs: 400_000_000,
  requests: 123_456_789,
  running: 1000,
  rssBytes: 3e9,
  unresponsive: false,
  silentMs: 0,
  ...changes,
});

const status: FullStatus = {
  pid: 4_194_304,
  version: '10.20.30',
  state: 'reloading',
  generation: 12,
  uptimeMs: 400_000_000,
  wanted: 3,
  ready: 3,
  workers: [
    worker(1),
    worker(2, {
      unresponsive: true,
      silentMs: 4200,
      running: 3,
      requestsRunning: [{ method: 'GET', path: `/\u001b[2J${'long/'.repeat(60)}`, ms: 5100 }],
    }),
    worker(1024, { state: 'booting', pid: undefined, running: 0, rssBytes: 0 }),
  ],
  requests: 987_654_321,
  lastExit: {
    worker: 1024,
    generation: 11,
    pid: 4_194_303,
    code: null,
    signal: 'SIGKILL',
    reason: 'max_lifetime',
    uptimeMs: 1,
    requests: 1,
    agoMs: 59_000,
  },
  pausedMs: 500,
  app: `/srv/${'releases/'.repeat(20)}app.ts`,
  addresses: ['127.0.0.1:8000', 'unix:/run/shop.sock'],
  workerClass: 'threaded',
  procName: 'tsgun',
  node: 'v20.19.0',
  otherMaster: 4_194_305,
};

describe('tsgun status', () => {
  const lines = renderStatus(status, 80).split('\n');

  it('fits 80 columns, whatever the numbers and names', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('is as wide as a terminal, and has whole lines in a pipe or a file', () => {
    expect([widthOf({ isTTY: true, columns: 132 }), widthOf({ isTTY: true, columns: 0 })]).toEqual([132, 80]);
    const app = `${'/a/long/path'.repeat(10)}/app.ts`;
    expect(renderStatus({ ...status, app }, widthOf({}))).toMatch(new RegExp(`: ${app}, .*, up `));
  });

  it('marks a worker that is unresponsive, and says what it is on', () => {
    expect(lines.slice(2, 4)).toEqual([
      'workers: 3 of 3 ready, 1 UNRESPONSIVE',
      'requests: 987,654,321 answered, 1003 running',
    ]);
    const at = lines.findIndex((line) => line.includes('UNRESPONSIVE ') && /^ +2 /.test(line));
    expect(lines.slice(at + 1, at + 4)).toEqual([
      '        silent for 4.2 s',
      expect.stringMatching(/^ {8}on GET \/\\x1b\[2Jlong\/.*\.\.\.$/),
      '        and 2 more',
    ]);
  });

  it('has the last exit, the pause, and the other master', () => {
    expect(lines).toContain('last exit: worker 1024 (4194303), max_lifetime, 59.0 s ago');
    expect(lines).toContain('the next spawn waits 500 ms, after failures');
    expect(lines.join('\n')).toContain('beside it runs master 4194305');
  });
});

describe('tsgun requests', () => {
  const about = { generation: 1, unresponsive: false, isKnown: true, more: 0 };
  const workers = [
    {
      ...about,
      pid: 71,
      worker: 1,
      unresponsive: true,
      requests: [{ method: 'GET', path: '/a', query: 'token=1', ms: 10, client: '[::1]:5' }],
      more: 4,
    },
    {
      ...about,
      pid: 72,
      worker: 2,
      requests: [
        {
          method: 'POST',
          path: '/b',
          ms: 2000,
          thread: 'thread 3',
          cpuMs: 15,
          queueMs: 4,
          receivedBytes: 3 * 1024,
          sentBytes: 0,
        },
      ],
    },
    { ...about, pid: 73, worker: 3, isKnown: false, requests: [], more: 9 },
  ];

  it('lists them from the oldest, and says what it could not list', () => {
    expect(renderRequests(workers, false, 80).split('\n')).toEqual([
      'WORKER  THREAD    AGE    CPU  CLIENT   METHOD  PATH',
      '     2  3       2.0 s  15 ms  -        POST    /b',
      '    1!  -       10 ms      -  [::1]:5  GET     /a',
      '! worker 1 (71) is unresponsive',
      'worker 1 (71) has 4 more',
      'worker 3 (73) did not answer in time; it had 9 requests',
    ]);
  });

  it('says on a wide screen what they have cost until now', () => {
    expect(renderRequests(workers, false, 120).split('\n').slice(0, 3)).toEqual([
      'WORKER  THREAD    AGE    CPU  QUEUE     IN  OUT  CLIENT   METHOD  PATH',
      '     2  3       2.0 s  15 ms   4 ms  3 KiB  0 B  -        POST    /b',
      '    1!  -       10 ms      -      -      -    -  [::1]:5  GET     /a',
    ]);
  });

  it('has queries only where they are asked for', () => {
    expect(renderRequests(workers, true, 80)).toContain('/a?token=1');
    expect(JSON.stringify(listRequests(workers, false))).not.toContain('token');
    expect(listRequests(workers, true)[1]).toEqual({
      worker: 1,
      pid: 71,
      unresponsive: true,
      thread: null,
      method: 'GET',
      path: '/a',
      ageMs: 10,
      client: '[::1]:5',
      cpuMs: null,
      queueMs: null,
      receivedBytes: null,
      sentBytes: null,
      query: 'token=1',
    });
  });

  it('says that none runs', () => {
    expect(renderRequests([], false, 80)).toBe('no request runs');
  });
});

describe('tsgun stacks', () => {
  it('shows each thread, what it is on, and why there is none', () => {
    const about = { unresponsive: false, silentMs: 0 };
    const text = renderStacks([
      {
        ...about,
        pid: 71,
        worker: 1,
        unresponsive: true,
        silentMs: 2500,
        requests: [{ method: 'GET', path: '/a', ms: 5 }],
        stacks: [
          { thread: 'main', stack: 'at a (x.ts:1:2)\nat b (y.ts:3:4)' },
          { thread: 'thread 1', stack: 'waiting', request: 'GET /a' },
        ],
      },
      { ...about, pid: 72, worker: 2, error: 'it boots' },
    ]);
    expect(text.split('\n')).toEqual([
      'worker 1 (71), UNRESPONSIVE for 2.5 s',
      '  on GET /a for 5 ms',
      '  main',
      '    at a (x.ts:1:2)',
      '    at b (y.ts:3:4)',
      '  thread 1, on GET /a',
      '    waiting',
      '',
      'worker 2 (72)',
      '  it boots',
    ]);
  });
});

describe('numbers and times', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1m00s'],
    [3_599_000, '59m59s'],
    [3_600_000, '1h00m'],
    [90_061_000, '1d01h'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('are short, and foreign text cannot steer the terminal', () => {
    expect(['0', '1,000', '12,345', '123,456']).toEqual([0, 1000, 12_345, 123_456].map(count));
    expect([count(1_234_567), count(999), bytes(0), bytes(58 * 2 ** 20), bytes(1.5 * 2 ** 30)]).toEqual([
      '1,234,567',
      '999',
      '-',
      '58 MiB',
      '1.5 GiB',
    ]);
    expect(clean('a\u001b\u009b\u202e\né')).toBe('a\\x1b\\x9b?\\x0a\\xe9');
  });
});

function profileOf(names: string[], samples: number[]): CpuProfile {
  const frame = (functionName: string, lineNumber: number) => ({
    functionName,
    scriptId: '1',
    url: functionName.startsWith('(') ? '' : 'file:///app.ts',
    lineNumber,
    columnNumber: 0,
  });
  const nodes = names.map((name, index) => ({ id: index + 1, callFrame: frame(name, index), hitCount: 0 }));
  return {
    nodes: [{ ...nodes[0]!, children: nodes.slice(1).map(({ id }) => id) }, ...nodes.slice(1)],
    startTime: 1000,
    endTime: 1000 + samples.length * 10,
    samples,
    timeDeltas: samples.map(() => 10),
  };
}

const merged = merge([
  {
    pid: 71,
    worker: 1,
    profiles: [
      { thread: 'main', profile: profileOf(['(root)', '(idle)', 'cold'], [2, 2, 2, 3]) },
      { thread: 'thread 1', profile: profileOf(['(root)', 'hot'], [2, 2, 2]) },
    ],
  },
  { pid: 72, worker: 2, error: 'it boots' },
]);

describe('profiles of several threads', () => {
  it('become one, with each thread below the root', () => {
    const byId = new Map(merged.nodes.map((node) => [node.id, node]));
    expect(byId.size).toBe(merged.nodes.length);
    const names = (id: number): unknown => {
      const { callFrame, children = [] } = byId.get(id)!;
      return children.length === 0 ? callFrame.functionName : [callFrame.functionName, ...children.map(names)];
    };
    expect(names(1)).toEqual(['(root)', ['worker 1 (71), main', '(idle)', 'cold'], ['worker 1 (71), thread 1', 'hot']]);
    expect([merged.samples!.length, merged.timeDeltas!.length, merged.endTime - merged.startTime]).toEqual([7, 7, 70]);
    expect(merged.samples!.map((id) => byId.get(id)!.callFrame.functionName)).toEqual([
      ...['(idle)', '(idle)', '(idle)', 'cold'],
      ...['hot', 'hot', 'hot'],
    ]);
  });

  it('name the hottest function first, of the time in which something ran', () => {
    expect(hottest(merged, 5)).toEqual([
      { name: 'hot', place: '/app.ts:2', share: 0.75 },
      { name: 'cold', place: '/app.ts:3', share: 0.25 },
    ]);
  });

  it('of a long time are no more than a call takes', () => {
    const samples = new Array<number>(300_000).fill(2);
    const long = { thread: 'main', profile: profileOf(['(root)', 'hot'], samples) };
    expect(merge([{ pid: 1, worker: 1, profiles: [long] }]).samples).toHaveLength(300_000);
  });
});

/** As much of protobuf as profile.proto needs: by field, numbers and bytes. */
function readMessage(content: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = content[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < content.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    const list = fields.get(field) ?? [];
    fields.set(field, list);
    if (key % 8 === 0) list.push(varint());
    else {
      const length = varint();
      list.push(content.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
}

const packed = (content: Uint8Array) => {
  const prefixed = new Uint8Array(
    [...content].flatMap((byte, index) => (index === 0 || content[index - 1]! < 128 ? [8, byte] : [byte])),
  );
  return readMessage(prefixed).get(1) as number[];
};

describe('pprof', () => {
  it('has the stacks and their times, without what was idle', () => {
    const profile = readMessage(gunzipSync(toPprof(merged)));
    const texts = profile.get(6)!.map((each) => Buffer.from(each as Uint8Array).toString());
    expect(texts[0]).toBe('');
    const names = new Map(
      profile.get(5)!.map((each) => {
        const one = readMessage(each as Uint8Array);
        return [one.get(1)![0], texts[one.get(2)![0] as number]] as const;
      }),
    );
    const samples = profile.get(2)!.map((each) => {
      const one = readMessage(each as Uint8Array);
      const stack = packed(one.get(1)![0] as Uint8Array).map((id) => names.get(id));
      return [stack, packed(one.get(2)![0] as Uint8Array)];
    });
    expect(samples).toEqual([
      [
        ['cold', 'worker 1 (71), main'],
        [1, 10_000],
      ],
      [
        ['hot', 'worker 1 (71), thread 1'],
        [3, 30_000],
      ],
    ]);
    const types = profile
      .get(1)!
      .map((each) => [...readMessage(each as Uint8Array).values()].flat().map((index) => texts[index as number]));
    expect(types).toEqual([
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ]);
  });
});

describe('the command line of a command', () => {
  it('is a command by its first word, unless a file has that name', () => {
    expect(commandIn(['status', '--json'])).toBe('status');
    expect(commandIn(['app.ts', 'status'])).toBeUndefined();
    // A folder of that name is no app.
    expect(commandIn(['stop'])).toBe('stop');
    expect(commandIn([])).toBeUndefined();
  });

  it.each([
    ['status', ['x'], 'takes no "x"'],
    ['scale', [], 'expected N (how many, from 1 to 1024), got none'],
    ['status', ['--frob'], "Unknown option '--frob'"],
    ['status', ['--pid', 'x'], '--pid: expected a process id, got "x"'],
    ['top', ['--json'], "Unknown option '--json'"],
  ] as const)('tsgun %s %j is refused', (name, words, message) => {
    expect(() => readOptions(name, words)).toThrow(message);
  });

  it.each(commandNames)('tsgun %s --help fits 80 columns', (name) => {
    expect(readOptions(name, ['--help'])).toBeUndefined();
    const page = renderHelpOf(name);
    expect(page).toContain(`Usage: tsgun ${name}`);
    expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
