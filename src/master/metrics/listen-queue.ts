/**
 * How many connections wait in the accept queue of a listening socket, from the kernel: `/proc/net/tcp` has it as the receive
 * queue of a socket in the state LISTEN.
 */

import { readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** The kernel lists those that listen ahead of all others: there may be a hundred thousand of these. */
const pieceBytes = 65_536;
const mostPieces = 16;
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

export interface ListeningSocket {
  readonly address: string;
  readonly fd: number;
}

/** By address; without those of which nothing is known: unix sockets, and all on a system other than Linux. */
export async function readQueues(sockets: readonly ListeningSocket[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (process.platform !== 'linux') return found;
  const inodes = sockets.map(({ address, fd }) => ({ address, inode: inodeOf(fd) }));
  for (const file of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    const queues = await readFileQueues(file).catch(() => new Map<number, number>());
    for (const { address, inode } of inodes) {
      const length = inode === undefined ? undefined : queues.get(inode);
      if (length !== undefined) found.set(address, length);
    }
  }
  return found;
}

async function readFileQueues(path: string): Promise<Map<number, number>> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(pieceBytes);
    let text = '';
    for (let piece = 0; piece < mostPieces; piece++) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, null);
      text += buffer.toString('latin1', 0, bytesRead);
      const { queues, isComplete } = parseQueues(text);
      if (isComplete || bytesRead === 0) return queues;
    }
    return parseQueues(text).queues;
  } finally {
    await file.close();
  }
}

function inodeOf(fd: number): number | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}
