/** What every class does before it ends: it empties the accept queue, and closes idle connections. */

import { setImmediate } from 'node:timers/promises';

/**
 * How long a worker empties the accept queue: if clients connect without a pause, it is never empty. On a busy machine, the worker
 * goes on until it has also had this much CPU time.
 */
export const longestEmptyingMs = 250;

interface Idling {
  readonly connectionCount: number;
  closeIdle?(): void;
}

/** Closes idle connections after one more read of the sockets: a request that has arrived makes its connection a busy one. */
export async function closeIdle(servers: readonly Idling[]): Promise<void> {
  await nextRead();
  for (const server of servers) server.closeIdle?.();
}

/** Two immediates: the first may come in the current turn of the event loop; between it and the second, sockets are read. */
async function nextRead(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/**
 * Accepts until a turn of the event loop brings no connection. With the last listener of a socket, the kernel resets what still
 * waits in its queue, though those clients may have sent their requests.
 */
export async function emptyQueue(countAccepted: () => number, isHurried: () => boolean): Promise<void> {
  const deadline = performance.now() + longestEmptyingMs;
  const cpuBefore = process.cpuUsage();
  const isOver = () => {
    if (performance.now() < deadline) return false;
    const { user, system } = process.cpuUsage(cpuBefore);
    return user + system >= longestEmptyingMs * 1000;
  };
  let before = -1;
  while (before !== countAccepted() && !isHurried() && !isOver()) {
    before = countAccepted();
    await nextRead();
  }
}
