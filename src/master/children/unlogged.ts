/**
 * Requests that the watchdog of a hung worker has answered: that worker cannot write their lines into the access log, so another
 * one does. Where there is none, they wait for the replacement.
 */

import type { AnsweredRequest, MasterMessage } from '../../ipc/messages.ts';
import type { Child, Pool } from '../pool.ts';

type Lines = Extract<MasterMessage, { type: 'answered' }>;

/** The requests of at most this many workers wait: if no replacement comes, they must not pile up. */
const maxWaiting = 100;

export class Unlogged {
  private readonly waiting: Lines[] = [];
  private readonly send: (child: Child, lines: Lines) => void;

  constructor(send: (child: Child, lines: Lines) => void) {
    this.send = send;
  }

  /** Its process is gone. */
  enter({ pid, worker }: Child, requests: readonly AnsweredRequest[], pool: Pool): void {
    if (pid === undefined || requests.length === 0) return;
    if (this.waiting.length === maxWaiting) this.waiting.shift();
    this.waiting.push({ type: 'answered', pid, worker, requests });
    this.settle(pool);
  }

  /** Sends what waits, if a worker can write it. Also called when a worker becomes ready. */
  settle({ children, generation }: Pool): void {
    if (this.waiting.length === 0) return;
    const able = [...children.values()].filter(({ state }) => state === 'ready' || state === 'retiring');
    const writer =
      able.find((child) => child.state === 'ready' && child.generation === generation) ??
      able.find(({ state }) => state === 'ready') ??
      able[0];
    if (writer === undefined) return;
    for (const lines of this.waiting.splice(0)) this.send(writer, lines);
  }
}
