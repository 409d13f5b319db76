/**
 * Answers the clients of a hung main thread in its place: a 503, which a load balancer may retry, in place of a reset.
 * Written to the descriptors themselves, which do not block; a client that takes nothing is not waited for.
 */

import { readSync, writeSync } from 'node:fs';
import type { AnswerClaims } from '../../http/wire/answer-claims.ts';

const body = 'The worker that had this request is being replaced. Try again.\n';
/** By now another worker serves, or the replacement boots. */
const retryAfterSeconds = 1;
const answer = Buffer.from(
  `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n` +
    `Retry-After: ${retryAfterSeconds}\r\nConnection: close\r\n\r\n${body}`,
);
/** What is read of an upload; one that is longer may see a reset. */
const maxUnreadBytes = 1024 * 1024;
/** Allocated when it is needed, which is hardly ever. */
const readBytes = 64 * 1024;

/** What of `node:fs` it uses. */
export interface DescriptorIo {
  read(fd: number, buffer: Buffer): number;
  write(fd: number, bytes: Buffer): void;
}

const system: DescriptorIo = { read: (fd, buffer) => readSync(fd, buffer), write: writeSync };

/**
 * Answers each request that has no byte of answer, also one that lies unread in the kernel.
 * @returns the descriptors of those that were answered
 */
export function answerClients(claims: AnswerClaims, io = system): number[] {
  const answered: number[] = [];
  const buffer = Buffer.allocUnsafe(readBytes);
  claims.claimAll((fd, hasRequest) => {
    // Read even if a request is known: the close of a socket with unread bytes is a reset, which overtakes the answer.
    const hasUnread = readAll(fd, buffer, io);
    if (!hasRequest && !hasUnread) return;
    if (attempt(() => io.write(fd, answer))) answered.push(fd);
  });
  return answered;
}

/** Reads what has come since: see above. */
export function drainClients(claims: AnswerClaims, answered: readonly number[], io = system): void {
  const buffer = Buffer.allocUnsafe(readBytes);
  for (const fd of answered) claims.claimAgain(fd, () => readAll(fd, buffer, io));
}

/** @returns whether there was anything */
function readAll(fd: number, buffer: Buffer, io: DescriptorIo): boolean {
  let total = 0;
  // It ends with the client's end, or with an error: nothing more is there (EAGAIN), or the client is gone.
  while (total < maxUnreadBytes) {
    let count = 0;
    attempt(() => {
      count = io.read(fd, buffer);
    });
    if (count === 0) break;
    total += count;
  }
  return total > 0;
}

/** @returns whether it succeeded */
function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}
