/**
 * Answers the clients of a hung main thread in its place, with a 503: a load balancer may retry that, but not a reset. It
 * writes to the descriptors themselves, which do not block, and does not wait for a client that takes nothing.
 */

import { readSync, writeSync } from 'node:fs';
import type { AnswerClaims } from '../../http/wire/answer-claims.ts';

const body = 'The worker that had this request is being replaced. Try again.\n';
/** Of the body, as the access log counts them. */
export const sentBytes = body.length;
/** By then another worker serves, or the replacement boots. */
const retryAfterSeconds = 1;
const answer = Buffer.from(
  `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n` +
    `Retry-After: ${retryAfterSeconds}\r\nConnection: close\r\n\r\n${body}`,
);
/** The most that is read of an upload; the client of a longer one may see a reset. */
const maxUnreadBytes = 1024 * 1024;
/** A longer request line is not kept. */
const longestLine = 1024;
/** Allocated on demand, because it is hardly ever needed. */
const readBytes = 64 * 1024;

/** The functions of `node:fs` that it uses. */
export interface DescriptorIo {
  read(fd: number, buffer: Buffer): number;
  write(fd: number, bytes: Buffer): void;
}

const system: DescriptorIo = { read: (fd, buffer) => readSync(fd, buffer), write: writeSync };

/** A client that was answered. */
export interface Answered {
  readonly fd: number;
  /** What lay unread there, up to the end of a request line; empty if its request was read already. */
  readonly unread: string;
}

/**
 * Answers each request of which no byte was answered, including one that lies unread in the kernel.
 * @returns those that were answered
 */
export function answerClients(claims: AnswerClaims, io = system): Answered[] {
  const answered: Answered[] = [];
  const buffer = Buffer.allocUnsafe(readBytes);
  claims.claimAll((fd, hasRequest) => {
    // Read even for a request that is known: closing a socket with unread bytes sends a reset, which overtakes the answer.
    const { first, total } = readAll(fd, buffer, io);
    if (!hasRequest && total === 0) return;
    if (attempt(() => io.write(fd, answer))) answered.push({ fd, unread: hasRequest ? '' : first });
  });
  return answered;
}

/** Reads what has come since then, for the same reason. */
export function drainClients(claims: AnswerClaims, answered: readonly Answered[], io = system): void {
  const buffer = Buffer.allocUnsafe(readBytes);
  for (const { fd } of answered) claims.claimAgain(fd, () => readAll(fd, buffer, io));
}

/** @returns how much there was, and what it began with */
function readAll(fd: number, buffer: Buffer, io: DescriptorIo): { readonly total: number; readonly first: string } {
  let total = 0;
  let first = '';
  // Reading ends with the client's end, or with an error: nothing more is there (EAGAIN), or the client has left.
  while (total < maxUnreadBytes) {
    let count = 0;
    attempt(() => {
      count = io.read(fd, buffer);
    });
    if (count === 0) break;
    if (total === 0) first = buffer.toString('latin1', 0, Math.min(count, longestLine));
    total += count;
  }
  return { total, first };
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
