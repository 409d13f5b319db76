/** How many connections wait in the accept queues of this worker's sockets. The read is synchronous, so it is repeated only after `freshMs`. */

import { closeSync, openSync, readSync } from 'node:fs';
import { inodeOf, parseQueues, queueFiles } from '../../ipc/accept-queue.ts';
import type { WorkerSocket } from '../../ipc/order.ts';

/** The kernel gives a page at a time. */
const pageBytes = 4096;
const mostPages = 16;
const freshMs = 20;

export class WaitingConnections {
  private readonly inodes: ReadonlySet<number>;
  private readonly page = Buffer.alloc(pageBytes);
  private readAt = Number.NEGATIVE_INFINITY;
  private last = 0;

  /** @param sockets those given by descriptor are counted, if they are TCP; of others nothing is known, and none counts as waiting */
  constructor(sockets: readonly WorkerSocket[]) {
    const inodes = sockets.map((socket) => ('fd' in socket ? inodeOf(socket.fd) : undefined));
    this.inodes = new Set(inodes.filter((inode) => inode !== undefined));
  }

  count(now: number): number {
    if (this.inodes.size === 0 || now - this.readAt < freshMs) return this.last;
    this.readAt = now;
    this.last = 0;
    for (const path of queueFiles)
      try {
        for (const [inode, length] of this.read(path)) if (this.inodes.has(inode)) this.last += length;
      } catch {
        // No such protocol here, or no descriptor left.
      }
    return this.last;
  }

  private read(path: string): Map<number, number> {
    const fd = openSync(path, 'r');
    try {
      let text = '';
      for (let page = 0; page < mostPages; page++) {
        const bytes = readSync(fd, this.page, 0, pageBytes, null);
        text += this.page.toString('latin1', 0, bytes);
        const { queues, isComplete } = parseQueues(text);
        if (isComplete || bytes === 0) return queues;
      }
      return parseQueues(text).queues;
    } finally {
      closeSync(fd);
    }
  }
}
