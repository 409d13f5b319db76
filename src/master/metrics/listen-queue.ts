/** How many connections wait in the accept queues of all addresses. */

import { open } from 'node:fs/promises';
import { inodeOf, parseQueues, queueFiles } from '../../ipc/accept-queue.ts';

/** The kernel lists listening sockets first. A hundred thousand others may follow, which need not be read. */
const pieceBytes = 65_536;
const mostPieces = 16;
export interface ListeningSocket {
  readonly address: string;
  readonly fd: number;
}

/** By address; without those of which nothing is known: unix sockets, and all on a system other than Linux. */
export async function readQueues(sockets: readonly ListeningSocket[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (process.platform !== 'linux') return found;
  const inodes = sockets.map(({ address, fd }) => ({ address, inode: inodeOf(fd) }));
  for (const file of queueFiles) {
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
