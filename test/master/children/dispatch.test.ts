/** Who gets which connection, in a world without sockets: connections are numbers, workers letters. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Dispatch } from '../../../src/master/children/dispatch.ts';

const make = (limit = 10) => new Dispatch<number, string>(limit);
const sent = (list: readonly { connection: number; to: string }[]) => list.map(({ connection, to }) => to + connection);

it('a connection waits until a worker is idle, and each idle worker gets one', () => {
  const dispatch = make();
  for (const connection of [1, 2, 3]) dispatch.arrive(connection);
  expect(dispatch.next()).toEqual([]);
  dispatch.noteIdle('a', true);
  dispatch.noteIdle('b', true);
  expect(sent(dispatch.next())).toEqual(['a1', 'b2']);
  expect(dispatch.next()).toEqual([]);
  dispatch.noteTaken('b');
  dispatch.noteIdle('b', true);
  expect(sent(dispatch.next())).toEqual(['b3']);
});

it('what a worker had not taken when it died goes to the next, ahead of the rest', () => {
  const dispatch = make();
  dispatch.noteIdle('a', true);
  for (const connection of [1, 2]) dispatch.arrive(connection);
  expect(sent(dispatch.next())).toEqual(['a1']);
  dispatch.reap('a');
  dispatch.noteIdle('b', true);
  expect(sent(dispatch.next())).toEqual(['b1']);
});

it('what a worker had taken dies with it', () => {
  const dispatch = make();
  dispatch.noteIdle('a', true);
  dispatch.arrive(1);
  dispatch.next();
  expect(dispatch.noteTaken('a')).toBe(1);
  dispatch.reap('a');
  dispatch.noteIdle('b', true);
  expect(dispatch.next()).toEqual([]);
});

it('what waits is left to the last worker that is dismissed, and to no other', () => {
  const dispatch = make();
  dispatch.noteIdle('a', false);
  dispatch.noteIdle('b', false);
  dispatch.arrive(1);
  expect(dispatch.dismiss('a')).toBe(false);
  expect(dispatch.dismiss('b')).toBe(true);
  expect(sent(dispatch.leaveTo('b'))).toEqual(['b1']);
});

it('no more wait than there is room for', () => {
  const dispatch = make(2);
  expect([1, 2, 3].map((connection) => dispatch.arrive(connection))).toEqual([true, true, false]);
});

it('whatever happens, each connection is taken once at most, and none is forgotten', () => {
  const worker = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({ what: fc.constantFrom('arrive', 'idle', 'busy', 'taken', 'bury', 'dismiss'), worker });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const dispatch = make(1000);
      const taken: (number | undefined)[] = [];
      let arrived = 0;
      for (const { what, worker } of steps) {
        if (what === 'arrive') dispatch.arrive(++arrived);
        else if (what === 'taken') taken.push(dispatch.noteTaken(worker));
        else if (what === 'bury') dispatch.reap(worker);
        else if (what === 'dismiss') dispatch.dismiss(worker);
        else dispatch.noteIdle(worker, what === 'idle');
        dispatch.next();
      }
      for (const worker of ['a', 'b', 'c']) dispatch.reap(worker);
      const left = dispatch.leaveTo('z').map(({ connection }) => connection);
      const all = [...taken.filter((connection) => connection !== undefined), ...left];
      expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: arrived }, (_, index) => index + 1));
    }),
  );
});
