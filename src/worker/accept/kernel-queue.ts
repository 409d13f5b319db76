/** What every class does on its way out: the kernel's queue, and connections that are idle. */

import { setImmediate } from 'node:timers/promises';

/** Where clients connect faster than this, the queue is never empty. */
export const longestEmptyingMs = 250;

interface Idling {
  readonly connectionCount: number;
  closeIdle?(): void;
}

/** After one more look at the sockets: a request that has arrived makes its connection a busy one. */
export async function closeIdle(servers: readonly Idling[]): Promise<void> {
  await nextLook();
  for (const server of servers) server.closeIdle?.();
}

/** The first only ends this turn of the loop; the sockets are looked at before the second. */
async function nextLook(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/**
 * Lets the listeners go on until a turn of the loop brings no connection: with the last listener of a socket, the kernel
 * resets what still waits in its queue, and those clients have long sent their requests.
 */
export async function emptyQueue(countAccepted: () => number, isHurried: () => boolean): Promise<void> {
  const deadline = performance.now() + longestEmptyingMs;
  let before = -1;
  while (before !== countAccepted() && !isHurried() && performance.now() < deadline) {
    before = countAccepted();
    await nextLook();
  }
}
