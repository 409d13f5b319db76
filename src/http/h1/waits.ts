/**
 * What a connection waits for, since when, and until when. It sets deadlines; `ending.ts` decides what follows when one has
 * passed.
 */

import type { Host } from '../host.ts';
import { defaultTimeouts, lingerMs, maxLingerMs } from '../limits.ts';

/** `idle`, `head`, `body` and, once all is sent, `linger` have a deadline. The others have none. */
export type Phase = 'idle' | 'head' | 'body' | 'answer' | 'linger' | 'tunnel' | 'closed';

export class Waits {
  phase: Phase = 'idle';
  /** In the server's coarse clock; 0 for none. */
  deadline: number;
  /** Its turn in the server's order of waiting: since when the client has been expected to act. */
  since: number;
  private readonly server: Host;
  /** When a connection that lingers is closed at the latest. */
  private lingerEnd = 0;
  /** When the current request must have come in full; 0 if that is not limited, or not known yet. */
  private receiveEnd: number;

  constructor(server: Host) {
    this.server = server;
    this.since = server.waitOrder.next();
    // A client's first chance to send a head begins now.
    this.receiveEnd = server.deadlineIn(server.timeouts.receiveMs ?? 0);
    this.deadline = earlier(server.deadlineIn(server.timeouts.headerMs), this.receiveEnd);
  }

  /** The client has had its turn, and the next one begins. */
  beginTurn(): void {
    this.since = this.server.waitOrder.next();
  }

  /** A head is complete. If it came in one piece, the time of its request begins now. */
  noteHead(isFirst: boolean): void {
    if (this.phase !== 'head' && !isFirst)
      this.receiveEnd = this.server.deadlineIn(this.server.timeouts.receiveMs ?? 0);
  }

  beginBody(): void {
    this.phase = 'body';
    this.deadline = earlier(this.server.deadlineIn(this.server.timeouts.bodyMs), this.receiveEnd);
  }

  /** A phase in which the client cannot be late. For `linger`, `limitLinger` sets a deadline once all is sent. */
  begin(phase: 'answer' | 'linger' | 'tunnel' | 'closed'): void {
    this.phase = phase;
    this.deadline = 0;
  }

  /** Something else is to end the connection. If it does not, the deadline does. */
  beginOwed(): void {
    this.phase = 'linger';
    this.deadline = this.server.deadlineIn(this.server.timeouts.bodyMs || defaultTimeouts.bodyMs);
    this.lingerEnd = this.deadline;
  }

  beginIdle(isFirst: boolean): void {
    const { server } = this;
    this.phase = 'idle';
    this.beginTurn();
    // Without a grace, at the next sweep: a deadline of 0 is none.
    if (server.isDraining) this.deadline = server.deadlineIn(server.idleGraceMs) || server.now;
    else if (!isFirst) this.deadline = server.deadlineIn(server.timeouts.keepAliveMs);
  }

  /**
   * Further bytes do not renew the deadline: the whole head has one. That of a connection's first head was set at its
   * start; only in a drain it is set again, because `beginIdle` has shortened it.
   */
  beginHead(isFirst: boolean): void {
    if (this.phase === 'head') return;
    const { server } = this;
    if (!isFirst) this.receiveEnd = server.deadlineIn(server.timeouts.receiveMs ?? 0);
    if (!isFirst || server.isDraining)
      this.deadline = earlier(server.deadlineIn(server.timeouts.headerMs), this.receiveEnd);
    this.phase = 'head';
    this.beginTurn();
  }

  /** The kernel has all that was sent: from now on the connection waits for the client's own end, within limits. */
  limitLinger(): void {
    if (this.phase !== 'linger') return;
    this.deadline = this.server.deadlineIn(lingerMs);
    this.lingerEnd = this.server.deadlineIn(maxLingerMs);
    this.beginTurn();
  }

  /** The client goes on sending, and most likely reads the answer afterwards. */
  prolongLinger(): void {
    if (this.deadline === 0 || this.phase !== 'linger' || this.server.isDraining) return;
    this.deadline = Math.min(this.server.deadlineIn(lingerMs), this.lingerEnd);
    this.beginTurn();
  }
}

/** @returns the earlier of two deadlines, of which each may be 0 for none */
export function earlier(one: number, other: number): number {
  return one === 0 || (other !== 0 && other < one) ? other : one;
}
