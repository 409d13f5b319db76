/** Until when a connection waits for its client, on a clock that is made up. */

import { describe, expect, it } from 'vitest';
import { Waits } from '../../../src/http/h1/waits.ts';
import type { Host } from '../../../src/http/host.ts';
import { WaitOrder } from '../../../src/http/host.ts';
import { defaultTimeouts } from '../../../src/http/limits.ts';

function connect(timeouts: Partial<typeof defaultTimeouts> & { readonly receiveMs?: number }) {
  const clock = { now: 1000 };
  const host = {
    timeouts: { ...defaultTimeouts, ...timeouts },
    waitOrder: new WaitOrder(),
    isDraining: false,
    deadlineIn: (ms: number) => (ms === 0 ? 0 : clock.now + ms),
  };
  return { waits: new Waits(host as unknown as Host), clock };
}

describe('the time for a whole request', () => {
  const times = { headerMs: 1000, bodyMs: 2000, receiveMs: 5000 };

  it('begins with the connection, and goes on through head and body', () => {
    const { waits, clock } = connect(times);
    expect(waits.deadline).toBe(2000);
    clock.now = 1900;
    waits.beginHead(true);
    waits.noteHead(true);
    waits.beginBody();
    expect(waits.deadline).toBe(3900);
    clock.now = 4500;
    waits.beginBody();
    expect(waits.deadline).toBe(6000);
  });

  it.each([
    ['of later requests with their first byte', (waits: Waits) => waits.beginHead(false)],
    ['of a head that comes in one piece with that', () => {}],
    ['of a pipelined one when it is read', (waits: Waits) => waits.begin('answer')],
  ])('%s', (_, begin) => {
    const { waits, clock } = connect(times);
    waits.noteHead(true);
    waits.beginBody();
    waits.beginIdle(false);
    clock.now = 50_000;
    begin(waits);
    waits.noteHead(false);
    waits.beginBody();
    expect(waits.deadline).toBe(52_000);
    clock.now = 54_000;
    waits.beginBody();
    expect(waits.deadline).toBe(55_000);
  });

  it('is the only limit where silence has none, and does not exist where it is not set', () => {
    const limited = connect({ ...times, bodyMs: 0 });
    limited.waits.noteHead(true);
    limited.waits.beginBody();
    expect(limited.waits.deadline).toBe(6000);
    const { waits } = connect({ headerMs: 0, bodyMs: 0 });
    expect(waits.deadline).toBe(0);
    waits.noteHead(true);
    waits.beginBody();
    expect(waits.deadline).toBe(0);
  });
});
