/** What goes out on a connection: which texts share a write, what can be taken back, and when a client counts as stalled. */

import { describe, expect, test } from 'vitest';
import { Outgoing } from '../../../src/http/h1/outgoing.ts';
import { HeldAnswers } from '../../../src/http/held-answers.ts';
import { maxHeldBytes } from '../../../src/http/limits.ts';
import { MadeUpWire } from './made-up-wire.ts';

function make(limitBytes = 0) {
  const wire = new MadeUpWire();
  const heard: string[] = [];
  const events = {
    wire,
    stallMs: 70,
    noteWritten: () => heard.push('written'),
    takeStall: () => heard.push('stalled'),
  };
  const outgoing = new Outgoing({ user: events }, limitBytes);
  return { wire, heard, outgoing };
}

test('an app goes on beyond the limit of one client while the worker may hold more', () => {
  const wire = new MadeUpWire();
  wire.isTaking = false;
  const held = new HeldAnswers(100);
  const others = held.open();
  const events = { wire, stallMs: 0, noteWritten: () => {}, takeStall: () => {} };
  const outgoing = new Outgoing({ user: events }, 10, held);
  expect(outgoing.sendText('more than ten bytes')).toBe(true);
  others.set(100);
  expect(outgoing.sendText('one more')).toBe(false);
  wire.isDestroyed = true;
  others.set(0);
  expect(outgoing.sendText('to nobody')).toBe(false);
});

describe('text that is held back', () => {
  test('is one write with what follows, in order', () => {
    const { wire, outgoing } = make();
    outgoing.isHolding = true;
    outgoing.sendText('one');
    outgoing.sendText('two');
    expect(outgoing.heldBytes).toBe(6);
    outgoing.flush();
    expect(wire.written).toEqual(['onetwo']);
    outgoing.sendText('three');
    outgoing.sendBytes('head', Buffer.from('body'), 'tail');
    expect(wire.written).toEqual(['onetwo', 'threeheadbodytail']);
  });

  test('goes out by itself once there is much of it', () => {
    const { wire, outgoing } = make();
    outgoing.isHolding = true;
    outgoing.sendText('x'.repeat(maxHeldBytes));
    expect(wire.written).toHaveLength(1);
  });

  test('is taken back from where the answer began, and what was before it stays', () => {
    const { wire, outgoing } = make();
    outgoing.isHolding = true;
    outgoing.sendText('first answer');
    outgoing.markAnswer();
    outgoing.sendText('second');
    expect(outgoing.retract()).toBe(true);
    outgoing.flush();
    expect(wire.written).toEqual(['first answer']);
  });

  test('still waits if bytes behind it cannot be read', () => {
    const { wire, outgoing } = make();
    outgoing.isHolding = true;
    outgoing.sendText('first answer');
    outgoing.markAnswer();
    const unreadable = Object.defineProperty(Buffer.from('body'), 'byteLength', {
      get: () => {
        throw new Error('unreadable');
      },
    });
    expect(() => outgoing.sendBytes('head', unreadable, '')).toThrow('unreadable');
    expect(outgoing.retract()).toBe(true);
    outgoing.isHolding = false;
    outgoing.flush();
    expect(wire.written).toEqual(['first answer']);
    expect(outgoing.isClean).toBe(true);
  });

  test('is not taken back once something of it may be on the wire', () => {
    const { outgoing } = make();
    outgoing.isHolding = true;
    outgoing.markAnswer();
    outgoing.sendText('begun');
    outgoing.flush();
    expect(outgoing.retract()).toBe(false);
    outgoing.isHolding = false;
    outgoing.markAnswer();
    outgoing.sendText('at once');
    expect(outgoing.retract()).toBe(false);
  });
});

describe('a client that takes less than it is sent', () => {
  test('is offered no further answer until it has taken all, and is cut in time', () => {
    const { wire, heard, outgoing } = make();
    wire.isTaking = false;
    expect(outgoing.sendText('answer')).toBe(false);
    expect(outgoing.isBackedUp).toBe(true);
    expect(wire.stallMs).toBe(70);
    wire.onStall?.();
    expect(heard).toEqual(['written', 'stalled']);
    outgoing.noteDrained();
    expect(outgoing.isBackedUp).toBe(false);
    expect(wire.onStall).toBeUndefined();
  });

  test('does not hold up its app for as much as may be held for it', () => {
    const { wire, outgoing } = make(10);
    wire.isTaking = false;
    expect(outgoing.sendText('12345')).toBe(true);
    expect(outgoing.sendText('12345')).toBe(false);
  });
});
