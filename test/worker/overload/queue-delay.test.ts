import { describe, expect, it } from 'vitest';
import { QueueDelay } from '../../../src/worker/overload/queue-delay.ts';
import { Routes, routeOf } from '../../../src/worker/overload/routes.ts';

describe('requests that have waited longer than they may', () => {
  /** One request each 10 ms. @returns which are refused */
  const run = (delay: QueueDelay, waits: readonly number[], from = 0) =>
    waits.map((wait, index) => delay.note(wait, 20, from + index * 10));
  const many = (count: number, wait: number) => Array<number>(count).fill(wait);

  it('are refused where for a fifth of a second all have, and only they', () => {
    const delay = new QueueDelay();
    const refused = run(delay, [...many(10, 0), ...many(60, 50)]);
    expect(refused.indexOf(true)).toBeGreaterThan(25);
    expect(refused.indexOf(true)).toBeLessThan(45);
    expect(refused.slice(45)).toEqual(many(25, 1).map(Boolean));
    expect(run(delay, [5, 50, 5], 700)).toEqual([false, true, false]);
  });

  it('are not refused in a burst, or where some wait and others do not', () => {
    const delay = new QueueDelay();
    expect(run(delay, [...many(20, 0), ...many(5, 300), ...many(20, 0)])).not.toContain(true);
    expect(
      run(
        delay,
        Array.from({ length: 200 }, (_, index) => (index % 5 === 0 ? 1 : 80)),
        1000,
      ),
    ).not.toContain(true);
  });

  it('are not refused while the worker is idle', () => {
    const delay = new QueueDelay();
    run(delay, many(100, 50));
    expect(delay.note(50, 20, 1000, false)).toBe(true);
    expect(delay.note(50, 20, 1010, true)).toBe(false);
  });

  it('are no longer refused a second after the last that had to be', () => {
    const delay = new QueueDelay();
    run(delay, many(100, 50));
    expect(delay.isOverloaded).toBe(true);
    run(delay, many(110, 1), 1000);
    expect(delay.isOverloaded).toBe(false);
    run(delay, many(100, 50), 3000);
    delay.settle(5100);
    expect(delay.isOverloaded).toBe(false);
  });
});

it.each([
  ['/', 'GET/'],
  ['/users/17/orders', 'GET/users/:/orders'],
  ['/a/b/c/d/e/f', 'GET/a/b/c/d'],
  [`/${'x'.repeat(33)}`, 'GET/:'],
  ['', 'GET'],
])('the route of %s', (path, route) => {
  expect(routeOf('GET', path)).toBe(route);
});

describe('how long requests to a route usually take', () => {
  it('follows slowly, and not while all is slow; each route for itself', () => {
    const routes = new Routes();
    let usual = 0;
    for (let now = 0; now < 1000; now += 10) usual = routes.note('GET', '/a', 100, true, now);
    expect(usual).toBe(100);
    for (let now = 1000; now < 2000; now += 10) usual = routes.note('GET', '/a', 1000, true, now);
    expect(usual).toBeLessThan(135);
    const before = usual;
    for (let now = 2000; now < 9000; now += 10) usual = routes.note('GET', '/a', 1000, false, now);
    expect(usual).toBe(before);
    expect(routes.note('POST', '/a', 3, true, 9000)).toBe(3);
    expect(routes.isLate('GET', '/a', 200, 1.2)).toBe(true);
    expect(routes.isLate('GET', '/a', 100, 1.2)).toBe(false);
    expect(routes.isLate('GET', '/unknown', 1e6, 1.2)).toBe(false);
  });

  it('is that of one common route beyond 256 of them', () => {
    const routes = new Routes();
    const name = (number: number) => `/${String.fromCharCode(97 + (number % 26), 97 + Math.floor(number / 26))}`;
    for (let number = 0; number < 256; number++) routes.note('GET', name(number), 1, true, 0);
    expect(routes.note('GET', '/one-more', 10, true, 0)).toBe(10);
    expect(routes.note('GET', '/another', 30, true, 0)).toBe(20);
    expect(routes.note('GET', name(3), 1, true, 0)).toBe(1);
  });
});
