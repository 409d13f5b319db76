import { closeSync, fstatSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Observers, type Outcome } from '../../../src/http/observers.ts';
import {
  at,
  clearGauges,
  durationBounds,
  queueBounds,
  readRecord,
  recordLength,
  statuses,
  writeRecord,
} from '../../../src/ipc/counters.ts';
import {
  CountersFile,
  countersVariable,
  exitsIn,
  recordForm,
  reloadsIn,
} from '../../../src/master/metrics/counters-file.ts';
import { Counters } from '../../../src/worker/metering/counters.ts';
import { onTestFinished } from '../../current.ts';
import { makeFolder } from '../../integration/harness.ts';

function makeFile(): number {
  const fd = openSync(`${makeFolder().path}/counters`, 'wx+');
  onTestFinished(() => closeSync(fd));
  return fd;
}

/** A worker that counts, until `write`, as at its exit. */
function makeWorker(fd: number, index: number, connections = 0, isFine = false) {
  const observers = new Observers();
  observers.shed = 2;
  const counters = new Counters({ fd, index }, 'async', observers, isFine);
  const serving = { accepted: 3, connections, upgraded: 2, countTraffic: () => {}, tellUnfinished: () => {} };
  const before = process.listeners('exit');
  counters.start({ serving, running: () => 1 });
  const [write] = process.listeners('exit').filter((listener) => !before.includes(listener));
  process.off('exit', write!);
  const count = (status: string, seconds: number, outcome: Outcome = 'answered', queueMs?: number) =>
    counters.count({ status, startedAt: 0, queueMs } as never, outcome, seconds * 1000);
  return { count, observers, write: () => (write as () => void)() };
}

it('each request is in its status and its bucket, a bound being part of what is below it', () => {
  const fd = makeFile();
  const { count, write } = makeWorker(fd, 2);
  count('200 OK', 0.005);
  count('204 No Content', 0.0051, 'answered', 3);
  count('504 Gateway Timeout', 11, 'overdue');
  count('', 0.2, 'aborted');
  count('101 Switching Protocols', 99, 'upgraded');
  count('200 OK', 99, 'unheard');
  write();
  const record = readRecord({ fd, index: 2 });
  const row = (start: number, length: number) => [...record.slice(start, start + length)];
  expect(row(at.requests + 2 * statuses.length, statuses.length)).toEqual([1, 1, 2, 0, 0, 1]);
  expect(row(at.duration, durationBounds.length + 1)).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(record[at.duration + durationBounds.length + 1]).toBeCloseTo(11.2101);
  expect(row(at.queue, queueBounds.length + 1).indexOf(1)).toBe(2);
  expect(record[at.timeouts]).toBe(1);
  expect(record[at.upgradedConnections]).toBe(2);
  expect(record[at.shed]).toBe(2);
});

it('the fine histogram is written only if releases are compared, and stays when they are no longer', () => {
  const fd = makeFile();
  const fine = () => readRecord({ fd, index: 1 }).slice(at.fine, at.fineSequence);
  const sum = (numbers: Float64Array) => numbers.reduce((one, other) => one + other, 0);
  const plain = makeWorker(fd, 1);
  plain.count('200 OK', 0.01);
  plain.write();
  expect(fstatSync(fd).size).toBe((recordLength + at.fine) * 8);
  expect(sum(fine())).toBe(0);
  const canary = makeWorker(fd, 1, 0, true);
  canary.count('200 OK', 0.01);
  canary.write();
  expect(sum(fine())).toBe(1);
  clearGauges({ fd, index: 1 });
  const next = makeWorker(fd, 1);
  next.count('200 OK', 0.01);
  next.write();
  expect(sum(fine())).toBe(1);
  expect(readRecord({ fd, index: 1 })[at.requests + 2 * statuses.length + 2]).toBe(3);
});

it('a worker goes on from what its seat has counted; what is open goes with the process', () => {
  const fd = makeFile();
  const first = makeWorker(fd, 1, 4);
  first.count('200 OK', 1);
  first.observers.traffic.set([10, 20]);
  first.write();
  const { cpu, open } = { cpu: readRecord({ fd, index: 1 })[at.cpuSeconds]!, open: at.openConnections };
  expect(readRecord({ fd, index: 1 })[open]).toBe(4);
  clearGauges({ fd, index: 1 });
  expect(readRecord({ fd, index: 1 })[open]).toBe(0);
  const second = makeWorker(fd, 1, 2);
  second.count('200 OK', 1);
  second.observers.traffic.set([1, 2]);
  second.write();
  const record = readRecord({ fd, index: 1 });
  expect(record[at.requests + 2 * statuses.length + 2]).toBe(2);
  expect([record[at.receivedBytes], record[at.sentBytes], record[at.connections], record[open]]).toEqual([
    11, 22, 6, 2,
  ]);
  expect(record[at.cpuSeconds]).toBeGreaterThan(cpu);
});

it('two masters read what both have counted, and the older one goes on when the newer has exited', () => {
  const older = new CountersFile(undefined);
  const first = { seat: 1, worker: 1 };
  older.noteExit(first, 'reload');
  older.placeOf(first);
  older.noteReload('finished');
  const { stdio, env } = older.handOver(5);
  expect(env).toEqual({ [countersVariable]: `5,6,${recordForm}` });
  const newer = new CountersFile(`${stdio},${recordForm}`);
  newer.noteExit(first, 'crashed');
  const place = newer.placeOf({ seat: 3, worker: 3 })!;
  writeRecord(place, readRecord(place));
  for (const file of [older, newer]) {
    const { own, other } = file.read();
    const masters = [own[0]!, other[0]!];
    const sum = (of: (record: Float64Array) => number) => masters.reduce((total, record) => total + of(record), 0);
    expect(sum((record) => exitsIn(record, 'reload'))).toBe(1);
    expect(sum((record) => exitsIn(record, 'crashed'))).toBe(1);
    expect(sum((record) => reloadsIn(record, 'finished'))).toBe(1);
  }
  expect(older.read().other).toHaveLength(4);
  // Another one after it counts on in the same file.
  expect(older.handOver(3).stdio).toEqual(stdio);
});

it('a newer master of a version whose records have another form begins at 0', () => {
  const older = new CountersFile(undefined);
  older.noteReload('finished');
  const { stdio } = older.handOver(5);
  for (const form of ['', ',9.9.9']) {
    const { own, other } = new CountersFile(`${stdio}${form}`).read();
    expect([own.length, reloadsIn(own[0]!, 'finished'), other]).toEqual([1, 0, []]);
  }
});
