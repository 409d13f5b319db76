import { expect, it } from 'vitest';
import type { ConnectionServer } from '../../../src/http/accept.ts';
import { nowhere } from '../../../src/http/ends.ts';
import { Turns } from '../../../src/worker/classes/turns.ts';

// What is served is of no concern here.
const incoming = {} as never;
const server = { local: nowhere, connectionCount: 0, serve: () => {} } satisfies ConnectionServer;

function oneAtATime() {
  const state = { served: 0, isBusy: false, isOpen: true, hasRoom: true };
  const turns = new Turns<ConnectionServer>({
    isFree: () => !state.isBusy,
    serve: () => {
      state.served++;
      state.isBusy = true;
    },
    canTake: () => state.hasRoom,
  });
  turns.gate = {
    leavesToOthers: true,
    descriptorsToOpen: 0,
    get isOpen() {
      return state.isOpen;
    },
    open() {
      state.isOpen = true;
    },
    shut() {
      state.isOpen = false;
    },
    close() {
      state.isOpen = false;
    },
  };
  return {
    state,
    turns,
    arrive: () => turns.take(server, incoming, nowhere),
    finish() {
      state.isBusy = false;
      turns.goOn();
    },
  };
}

it('while one connection has its turn the gate is shut, so that others go to idle workers', () => {
  const { state, arrive, finish } = oneAtATime();
  arrive();
  expect(state).toMatchObject({ served: 1, isOpen: false });
  finish();
  expect(state).toMatchObject({ served: 1, isOpen: true });
});

it('a worker without room for another connection keeps its gate shut when a turn is over', () => {
  const { state, arrive, finish } = oneAtATime();
  arrive();
  state.hasRoom = false;
  finish();
  expect(state.isOpen).toBe(false);
});

it('at a stop, all that comes is taken at once, and served one by one', async () => {
  const { state, turns, arrive, finish } = oneAtATime();
  arrive();
  turns.gather();
  arrive();
  arrive();
  expect(turns.arrived).toBe(3);
  expect(state).toMatchObject({ served: 1, isOpen: true });
  const seen: string[] = [];
  const noneWait = turns.untilNoneWait().then(() => seen.push('none waits'));
  const noneLeft = turns.untilNoneIsLeft().then(() => seen.push('none is left'));
  finish();
  expect(state.served).toBe(2);
  finish();
  await noneWait;
  expect(seen).toEqual(['none waits']);
  expect(state.served).toBe(3);
  finish();
  await noneLeft;
  expect(seen).toEqual(['none waits', 'none is left']);
});
