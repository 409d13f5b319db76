/** When a client counts as stalled, with a queue that is made up. */

import { setTimeout } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { StallWatch } from '../../../src/http/wire/stall-watch.ts';
import { eventually } from '../../current.ts';

const block = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

it('what the kernel takes as soon as a suspended process runs again is progress', async () => {
  const queue = { takenBytes: 0, untakenBytes: 100 };
  const onStall = vi.fn();
  const watch = new StallWatch(queue, 10, onStall);
  // Due in the same turn as the watch's timer, and after it: so late comes what is written to the kernel in this turn.
  void setTimeout(15).then(() => Object.assign(queue, { takenBytes: 50, untakenBytes: 50 }));
  block(30);
  await setTimeout(1);
  expect(watch.isOver).toBe(false);
  Object.assign(queue, { takenBytes: 100, untakenBytes: 0 });
  await eventually(() => watch.isOver);
  expect(onStall).not.toHaveBeenCalled();
});

it('a client that takes nothing for the whole time is reported once', async () => {
  const onStall = vi.fn();
  const watch = new StallWatch({ takenBytes: 0, untakenBytes: 100 }, 10, onStall);
  await eventually(() => watch.isOver);
  expect(onStall).toHaveBeenCalledTimes(1);
});
