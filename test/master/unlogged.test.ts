import { expect, it } from 'vitest';
import { Unlogged } from '../../src/master/children/unlogged.ts';
import type { Child, Pool } from '../../src/master/pool.ts';

const child = (pid: number, state: string, generation = 1) => ({ pid, worker: pid, state, generation }) as Child;
const pool = (...children: Child[]) =>
  ({ generation: 2, children: new Map(children.map((each) => [each.pid!, each])) }) as unknown as Pool;
const requests = [{ ms: 1 }] as never;

function open() {
  const sent: [number | undefined, number][] = [];
  return { sent, unlogged: new Unlogged((to, lines) => void sent.push([to.pid, lines.pid])) };
}

it('lines of a hung worker go to a ready one, of the current generation if there is one', () => {
  const { sent, unlogged } = open();
  unlogged.enter(child(9, 'killed'), requests, pool(child(1, 'retiring'), child(2, 'ready'), child(3, 'ready', 2)));
  unlogged.enter(child(8, 'killed'), requests, pool(child(1, 'retiring'), child(2, 'ready')));
  unlogged.enter(child(7, 'killed'), requests, pool(child(1, 'retiring')));
  expect(sent).toEqual([
    [3, 9],
    [2, 8],
    [1, 7],
  ]);
});

it('they wait for the replacement if there is no other worker, and are sent once', () => {
  const { sent, unlogged } = open();
  unlogged.enter(child(9, 'killed'), requests, pool(child(4, 'booting')));
  unlogged.enter(child(8, 'killed'), [], pool(child(4, 'booting')));
  expect(sent).toEqual([]);
  unlogged.settle(pool(child(4, 'ready')));
  unlogged.settle(pool(child(4, 'ready')));
  expect(sent).toEqual([[4, 9]]);
});
