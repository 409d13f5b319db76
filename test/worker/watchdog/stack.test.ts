import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type CallFrame, formatStack, type Script } from '../../../src/worker/watchdog/stack.ts';
import { makeFolder } from '../../integration/harness.ts';

const frame = (functionName: string, scriptId: string, lineNumber: number, columnNumber = 0): CallFrame => ({
  functionName,
  location: { scriptId, lineNumber, columnNumber },
});

/** A map that puts line 1 on line 1 of its source, and line 2 on line 42. */
const map = { version: 3, sources: ['app.ts'], names: [], mappings: 'AAAA;AAyCA' };

function scripts(...entries: [string, Script][]): Map<string, Script> {
  return new Map(entries);
}

describe('a stack', () => {
  it('has a line per frame, the innermost first, counted from 1', () => {
    const frames = [frame('inner', '1', 4, 2), frame('', '2', 0)];
    const known = scripts(['1', { url: 'file:///srv/my%20app.mjs' }], ['2', { url: 'node:internal/timers' }]);
    expect(formatStack(frames, known)).toBe(
      'at inner (/srv/my app.mjs:5:3)\nat <anonymous> (node:internal/timers:1:1)',
    );
  });

  it('names a script that nobody announced by the frame’s own url, or says that it has none', () => {
    expect(formatStack([{ ...frame('f', '9', 0), url: 'file:///a.js' }], scripts())).toBe('at f (/a.js:1:1)');
    expect(formatStack([frame('f', '9', 0)], scripts())).toBe('at f (<anonymous>:1:1)');
  });

  it('of endless recursion is cut, and says by how much', () => {
    const lines = formatStack(Array(60).fill(frame('f', '1', 0)), scripts(['1', { url: '/a.js' }])).split('\n');
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('... and 10 more');
  });
});

describe('a source map', () => {
  it('beside the script gives the line of the source, and keeps the compiled one', () => {
    const { path } = makeFolder({ 'app.js.map': JSON.stringify(map) });
    const known = scripts(['1', { url: `file://${path}/app.js`, sourceMapURL: 'app.js.map' }]);
    expect(formatStack([frame('f', '1', 1, 7)], known)).toBe(
      `at f (${path}/app.ts:42:1, compiled to ${path}/app.js:2:8)`,
    );
  });

  it('that the memory of the thread could not hold is left out, of several those that come too late', () => {
    const large = { ...map, mappings: map.mappings.padEnd(2_500_000, ';') };
    const { path } = makeFolder({
      'a.map': JSON.stringify(large),
      'b.map': JSON.stringify(large),
      'c.map': JSON.stringify({ ...map, sourcesContent: ['x'.repeat(33 * 1024 * 1024)] }),
    });
    const known = ['a', 'b', 'c'].map((name): [string, Script] => [
      name,
      { url: `file://${path}/${name}.js`, sourceMapURL: `${name}.map` },
    ]);
    const frames = ['c', 'a', 'b', 'a'].map((name) => frame('f', name, 1));
    const lines = formatStack(frames, scripts(...known)).split('\n');
    expect(lines.map((line) => line.includes('app.ts:42:1'))).toEqual([false, true, false, true]);
  });

  it.each([
    ['../src', '/srv/src/app.ts'],
    ['../src/', '/srv/src/app.ts'],
    ['file:///elsewhere', '/elsewhere/app.ts'],
  ])('with the sourceRoot %s finds the source', (sourceRoot, source) => {
    const data = Buffer.from(JSON.stringify({ ...map, sourceRoot })).toString('base64');
    const sourceMapURL = `data:application/json;base64,${data}`;
    expect(formatStack([frame('f', '1', 0)], scripts(['1', { url: 'file:///srv/dist/app.js', sourceMapURL }]))).toBe(
      `at f (${source}:1:1, compiled to /srv/dist/app.js:1:1)`,
    );
  });

  it('inside a script that goes by the name of its source gives one place', () => {
    const sourceMapURL = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
    expect(formatStack([frame('f', '1', 1)], scripts(['1', { url: '/srv/app.ts', sourceMapURL }]))).toBe(
      'at f (/srv/app.ts:42:1)',
    );
  });

  it.each(['missing.map', 'data:application/json,nonsense', 'http://127.0.0.1:1/app.js.map', '::'])(
    'that cannot be read (%s) leaves the compiled line',
    (sourceMapURL) => {
      expect(formatStack([frame('f', '1', 1)], scripts(['1', { url: 'file:///srv/app.js', sourceMapURL }]))).toBe(
        'at f (/srv/app.js:2:1)',
      );
    },
  );
});

describe('a runaway worker thread', () => {
  it('can be stopped through the NodeWorker domain, and runs on', async () => {
    const { Session } = await import('node:inspector');
    const { capture } = await import('../../../src/worker/watchdog/capture.ts');
    const { threadSession } = await import('../thread-session.ts');
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const code = `const { workerData: cells } = require('node:worker_threads');
      function runaway() { while (Atomics.load(cells, 1) === 0) { Atomics.store(cells, 0, 1); } }
      runaway();`;
    const thread = new Worker(code, { eval: true, workerData: shared });
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    while (Atomics.load(shared, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const session = new Session();
    session.connect();
    const taken = await threadSession(session, async (inner) => {
      const captured = new Promise((resolve, reject) =>
        capture(inner, {
          expression: '6 * 7',
          isWanted: () => true,
          onEnd: resolve,
          onForeign: () => reject(new Error('foreign')),
        }),
      );
      return captured;
    });
    expect(taken).toMatchObject({ stack: expect.stringMatching(/^at runaway \(/), value: 42 });
    Atomics.store(shared, 1, 1);
    expect(await exited).toBe(0);
  });
});
