/**
 * How many connections wait in the accept queue of a listening socket, from the kernel: `/proc/net/tcp` has it as the receive
 * queue of a socket in the state LISTEN, and lists those ahead of all others.
 */

import { readlinkSync } from 'node:fs';

export const queueFiles = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;
const listenState = '0A';

/** By the number of the socket's inode. */
export function parseQueues(text: string): { readonly queues: Map<number, number>; readonly isComplete: boolean } {
  const queues = new Map<number, number>();
  for (const line of text.split('\n').slice(1)) {
    // Number, local and remote address, state, what waits to be sent and to be received, timer, retries, user, timeout, inode.
    const [, , , state, waiting, , , , , inode] = line.trim().split(/ +/);
    if (inode === undefined) continue;
    if (state !== listenState) return { queues, isComplete: true };
    queues.set(Number(inode), Number.parseInt(waiting!.split(':')[1]!, 16));
  }
  return { queues, isComplete: false };
}

/** The number of a socket's inode. */
export function inodeOf(fd: number): number | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}
