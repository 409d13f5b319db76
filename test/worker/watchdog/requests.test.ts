import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { RequestTable, readRunning, readTable } from '../../../src/worker/watchdog/requests.ts';

describe('the table of the requests that run', () => {
  it('has those that have not left, the oldest first', () => {
    const table = new RequestTable();
    const now = performance.now();
    const leave = table.enter('GET', '/a', now - 100);
    table.enter('POST', '/b c', now - 300);
    table.enter('GET', '/d e', now - 200);
    leave();
    const names = readTable(table.shared).map(({ method, path }) => [method, path]);
    expect(names).toEqual([
      ['POST', '/b c'],
      ['GET', '/d e'],
    ]);
    expect(table.count).toBe(2);
  });

  it('says for how long, in another thread too', async () => {
    const table = new RequestTable();
    table.enter('GET', '/a', performance.now() - 5000);
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const [origin] = new Float64Array(workerData);
      parentPort.postMessage(performance.timeOrigin + performance.now() - origin);`;
    const thread = new Worker(code, { eval: true, workerData: table.shared });
    const [seen] = (await new Promise((resolve) => thread.once('message', (...all) => resolve(all)))) as [number];
    await thread.terminate();
    expect(seen).toBeLessThanOrEqual(performance.now());
    expect(readTable(table.shared)[0]!.ms).toBeGreaterThanOrEqual(5000);
  });

  it('cuts long paths, keeps bytes as they came, and takes any method', () => {
    const table = new RequestTable();
    const longest = 240;
    for (const length of [0, 1, 63, 64, 65, longest - 1, longest, longest + 1, 8000])
      table.enter('GET', `/${'\u00e9'.repeat(length)}`, 0);
    expect(readTable(table.shared).map(({ path }) => path.length)).toEqual(
      [1, 2, 64, 65, 66, longest, longest, longest, longest].map((length) => length),
    );
    const others = new RequestTable();
    others.enter('OPTIONS', '*', 0);
    others.enter('M-SEARCH', '/x', 0);
    others.enter('CONNECT', 'a:443', 0);
    expect(readTable(others.shared).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'OPTIONS *',
      'M-SEARCH /x',
      'CONNECT a:443',
    ]);
  });

  it('that is full counts what it cannot name, and names again when there is room', () => {
    const table = new RequestTable();
    const leaves = Array.from({ length: 1000 }, (_, index) => table.enter('GET', `/${index}`, 0));
    expect(table.count).toBe(1000);
    expect(readTable(table.shared)).toHaveLength(128);
    expect(readRunning(table.shared)).toMatchObject({ more: 872 });
    for (const leave of leaves) leave();
    expect([table.count, readTable(table.shared)]).toEqual([0, []]);
    for (let round = 0; round < 128; round++) table.enter('GET', '/again', 0);
    expect(readTable(table.shared)).toHaveLength(128);
  });
});
