/** Lines are made many at a time, and written together: none is lost, and each says what held when its request ended. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Logger } from '../../../src/logger.ts';
import { AccessLog } from '../../../src/worker/access/access-log.ts';
import { madeUpEntry, madeUpHead } from './entries.ts';

function open(accessLogformat: string, accessLogFields: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-access-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'access.log');
  const settings = {
    accessLogfile: file,
    accessLogformat,
    accessLogFields,
    accessLogSkip: [],
    requestIdHeader: 'x-request-id',
  };
  const access = new AccessLog(file, settings, { pid: 1, worker: 1, class: 'async' }, {} as Logger);
  return { access, read: () => readFileSync(file, 'latin1') };
}

const enterPaths = (access: AccessLog, count: number, length = 1) => {
  for (let number = 0; number < count; number++)
    access.enter(madeUpEntry({ head: madeUpHead({ path: `/${String(number).padStart(length, '0')}` }) }));
};

test('every line is there, in order, when the log is closed', () => {
  const { access, read } = open('%(U)s');
  enterPaths(access, 1000);
  access.close();
  expect(read()).toBe(Array.from({ length: 1000 }, (_, number) => `/${number}\n`).join(''));
});

test('a line of any length is whole, and so are those after it', () => {
  const { access, read } = open('%(U)s');
  enterPaths(access, 3, 200_000);
  enterPaths(access, 100);
  access.close();
  const lengths = read()
    .split('\n')
    .map((line) => line.length);
  expect(lengths.slice(0, 4)).toEqual([200_001, 200_001, 200_001, 2]);
  expect(lengths).toHaveLength(104);
});

test('lines so far stand in the file when it is reopened', () => {
  const { access, read } = open('%(U)s');
  enterPaths(access, 5);
  access.reopen();
  expect(read()).toBe('/0\n/1\n/2\n/3\n/4\n');
  access.close();
});

test.each([
  ['%({x-a}o)s', [], '1\n2\n'],
  ['json', ['a={x-a}o'], '{"a":"1"}\n{"a":"2"}\n'],
])(
  'fields of the answer, in the format %s, are those that were sent, though the app changes them for the next one',
  (format, fields, expected) => {
    const { access, read } = open(format, fields);
    const sent: [string, string][] = [['X-A', '1']];
    access.enter(madeUpEntry({ answer: { responseFields: sent } }));
    sent[0]![1] = '2';
    access.enter(madeUpEntry({ answer: { responseFields: sent } }));
    access.close();
    expect(read()).toBe(expected);
  },
);
