import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { RequestHead } from '../../src/http/head.ts';
import { requestIdOf } from '../../src/http/request-id.ts';

const makeId = () => requestIdOf(new RequestHead(), 'x-request-id');

describe('a request id that is made', () => {
  test('is another for each request, and the same whenever it is looked at', () => {
    const ids = Array.from({ length: 2000 }, makeId);
    expect(new Set(ids).size).toBe(2000);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{18}-[\da-f]{3,}$/);
    const head = new RequestHead();
    expect(requestIdOf(head, 'x-request-id')).toBe(requestIdOf(head, 'x-request-id'));
  });

  test('leaves nothing in old memory when its request is over', () => {
    const oldBytes = () =>
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
    let latest: unknown;
    // With as much garbage as a small request makes.
    const request = () => (latest = [makeId(), Array.from({ length: 50 }, (_, index) => [index])]);
    for (let count = 0; count < 20_000; count++) request();
    const before = oldBytes();
    for (let count = 0; count < 50_000; count++) request();
    expect(latest).toBeDefined();
    expect(oldBytes() - before).toBeLessThan(500_000);
  });
});
