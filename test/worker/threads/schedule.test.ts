/** Which request runs where, with threads that are made up, and a clock of its own. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Line } from '../../../src/worker/line.ts';
import type { Relay } from '../../../src/worker/threads/relay.ts';
import { Schedule, type Scheduled } from '../../../src/worker/threads/schedule.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

class MadeUpThread implements Scheduled {
  isOpen = true;
  progressAt = 0;
  readonly given = new Line<Relay>();

  get isIdle(): boolean {
    return this.given.size === 0;
  }

  give(relay: Relay): void {
    this.given.add(relay);
  }

  /** It has begun with the first that it was given. */
  takeBack(relay: Relay): boolean {
    if (relay === this.given.at(0)) return false;
    this.given.delete(relay);
    return true;
  }

  finish(): void {
    this.given.delete(this.given.at(0));
    this.progressAt = performance.now();
  }

  get names(): string {
    return [...this.given].map(nameOf).join('');
  }
}

const nameOf = (relay: Relay) => (relay as unknown as { name: string }).name;

function request(name: string, { hasBody = false, hasLeft = false } = {}): Relay {
  const exchange = { leaveReason: hasLeft ? new Error('gone') : undefined };
  return { name, hasBody, exchange, queuedAt: performance.now() } as unknown as Relay;
}

function scheduleOf(count: number, limit = 100, newestFirst = false) {
  const threads = Array.from({ length: count }, () => new MadeUpThread());
  let requeues = 0;
  const schedule = new Schedule({ threads, limit, newestFirst, onGive: () => {}, onRequeue: () => requeues++ });
  const [one, two] = threads;
  return {
    schedule,
    one: one!,
    two: two!,
    queue: () => [...schedule.waiting].map(nameOf).join(''),
    requeues: () => requeues,
  };
}

describe('a request', () => {
  it('goes to an idle thread, and then behind one that has only just begun', () => {
    const { schedule, one, two, queue } = scheduleOf(2);
    expect(schedule.isFull).toBe(false);
    for (const name of 'abcd') schedule.add(request(name));
    expect([one.names, two.names, queue()]).toEqual(['ac', 'bd', '']);
    expect(schedule.isFull).toBe(true);
  });

  it('waits where every thread has been at work for a while, and is not overtaken', () => {
    const { schedule, one, two, queue } = scheduleOf(2);
    for (const name of 'ab') schedule.add(request(name));
    vi.advanceTimersByTime(3);
    schedule.add(request('c'));
    one.finish();
    schedule.add(request('d'));
    expect([one.names, two.names, queue()]).toEqual(['', 'b', 'cd']);
    schedule.refill(one);
    expect([one.names, two.names, queue()]).toEqual(['cd', 'b', '']);
  });

  it('with a body waits for a thread that is idle: what was sent of a body cannot be taken back', () => {
    const { schedule, one, queue } = scheduleOf(1);
    schedule.add(request('a'));
    schedule.add(request('B', { hasBody: true }));
    expect([one.names, queue()]).toEqual(['a', 'B']);
    one.finish();
    schedule.refill(one);
    expect([one.names, queue()]).toEqual(['B', '']);
  });

  it('of a client that may have left comes behind those of clients that wait', () => {
    const { schedule, one, queue } = scheduleOf(1);
    schedule.add(request('a'));
    vi.advanceTimersByTime(3);
    schedule.add(request('x', { hasLeft: true }));
    schedule.add(request('b'));
    expect(queue()).toBe('xb');
    one.finish();
    schedule.refill(one);
    expect(one.names).toBe('bx');
  });

  it('comes before older ones, where newest first is asked for and the oldest has waited for over a second', () => {
    const { schedule, one, queue } = scheduleOf(1, 100, true);
    // One with a body is given to an idle thread only.
    const ask = (names: string) => {
      for (const name of names) schedule.add(request(name, { hasBody: true }));
    };
    let served = '';
    const finish = () => {
      served += one.names;
      one.finish();
      schedule.refill(one);
    };
    ask('abcd');
    vi.advanceTimersByTime(900);
    finish();
    expect([one.names, queue()]).toEqual(['b', 'cd']);
    vi.advanceTimersByTime(200);
    ask('ef');
    for (let count = 0; count < 5; count++) finish();
    expect(served).toBe('abfedc');
  });

  it('is given to no thread that ends or does not answer', () => {
    const { schedule, one, two, queue } = scheduleOf(2);
    one.isOpen = false;
    two.isOpen = false;
    schedule.add(request('a'));
    schedule.refillAll();
    expect([one.names, two.names, queue()]).toEqual(['', '', 'a']);
    two.isOpen = true;
    schedule.refillAll();
    expect(two.names).toBe('a');
  });
});

describe('what waits behind a long request', () => {
  it('is stolen by a thread that has nothing to do', () => {
    const { schedule, one, two } = scheduleOf(2);
    for (const name of 'abcd') schedule.add(request(name));
    two.finish();
    two.finish();
    schedule.refill(two);
    expect([one.names, two.names]).toEqual(['a', 'c']);
  });

  it('is the queue’s again, ahead of what came later, and not what has a body', () => {
    const { schedule, one, queue, requeues } = scheduleOf(1);
    for (const name of 'abc') schedule.add(request(name));
    one.give(request('D', { hasBody: true }));
    vi.advanceTimersByTime(3);
    schedule.add(request('e'));
    expect(queue()).toBe('e');
    schedule.requeueWaiting(performance.now());
    expect([one.names, queue(), requeues()]).toEqual(['aD', 'bce', 1]);
  });

  it('stays while its thread makes progress', () => {
    const { schedule, one, queue, requeues } = scheduleOf(1);
    for (const name of 'abc') schedule.add(request(name));
    vi.advanceTimersByTime(3);
    one.finish();
    schedule.requeueWaiting(performance.now());
    expect([one.names, queue(), requeues()]).toEqual(['bc', '', 0]);
  });
});

it('a thread is given no more than its claims have room for', () => {
  const { schedule, one, queue } = scheduleOf(1);
  for (let count = 0; count < 30; count++) schedule.add(request('x'));
  expect([one.given.size, queue().length]).toEqual([24, 6]);
});

it('no more wait than may', () => {
  const { schedule } = scheduleOf(0, 2);
  schedule.add(request('a'));
  expect(schedule.isAtLimit).toBe(false);
  schedule.add(request('b'));
  expect(schedule.isAtLimit).toBe(true);
});
