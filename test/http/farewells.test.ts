/** How connections after an upgrade are asked to end. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Farewells } from '../../src/http/farewells.ts';

// The code does not use the globals, which are what vitest fakes.
vi.mock('node:timers', () => ({
  setInterval: (...args: Parameters<typeof setInterval>) => setInterval(...args),
  clearInterval: (timer: NodeJS.Timeout | undefined) => clearInterval(timer),
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make(count: number, answer: () => boolean = () => true) {
  const told: number[] = [];
  const farewells = new Farewells();
  const connections = Array.from({ length: count }, (_, index) => ({
    sayFarewell() {
      if (!answer()) return false;
      told.push(index);
      return true;
    },
  }));
  return { told, farewells, connections };
}

describe('connections after an upgrade are asked to end', () => {
  it('at once where there is one', () => {
    const { told, farewells, connections } = make(1);
    farewells.begin(connections);
    expect(told).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([60, 1000, 10_000])('one after another within three seconds: %i of them', (count) => {
    const { told, farewells, connections } = make(count);
    farewells.begin(connections);
    expect(told.length).toBeLessThan(count / 30);
    vi.advanceTimersByTime(1500);
    expect(told.length).toBeLessThan(count * 0.6);
    vi.advanceTimersByTime(1500);
    expect(told).toEqual(connections.map((_, index) => index));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('all at once in a hurry', () => {
    const { told, farewells, connections } = make(100);
    farewells.begin(connections);
    farewells.hurry();
    expect(told).toHaveLength(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('later where the app is in the middle of a message', () => {
    let isBusy = true;
    const { told, farewells, connections } = make(2, () => !isBusy);
    farewells.begin(connections);
    vi.advanceTimersByTime(1000);
    isBusy = false;
    vi.advanceTimersByTime(100);
    expect(told.toSorted()).toEqual([0, 1]);
  });

  it('also those that are upgraded meanwhile, and none that has gone', () => {
    const { told, farewells, connections } = make(3);
    farewells.begin([]);
    expect(vi.getTimerCount()).toBe(0);
    for (const each of connections) farewells.add(each);
    farewells.forget(connections[1]!);
    vi.advanceTimersByTime(150);
    expect(told).toEqual([0, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
