/** Questions to the watchdogs of workers, and who waits for the answers. */

import type { Examination, Findings } from '../../ipc/messages.ts';
import { profileEdgeMs } from '../../ipc/profiles.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type Question = WithoutId<Examination>;

/**
 * What a watchdog needs at most, beyond the time that it was asked to look: the start and the end of a profile, where the machine
 * is starved. Its own reason comes first.
 */
const patienceMs = 2 * profileEdgeMs + 1000;

interface Waiting<Child> {
  readonly child: Child;
  end(findings: Findings | Error): void;
}

export class Examinations<Child> {
  private readonly waiting = new Map<number, Waiting<Child>>();
  private lastId = 0;

  /**
   * @param send gives it to the watchdog
   * @param waitMs how long the answer is waited for, beyond the time that the watchdog was asked to look
   * @throws Error if the worker ends, or its watchdog says nothing
   */
  ask(child: Child, question: Question, send: (order: Examination) => void, waitMs = patienceMs): Promise<Findings> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const ms = waitMs + ('ms' in question ? question.ms : 0);
      const end = (findings: Findings | Error) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        if (findings instanceof Error) reject(findings);
        else resolve(findings);
      };
      const seconds = Math.round(ms / 100) / 10;
      const late = `the worker’s watchdog does not answer within ${seconds} s: is the process stopped, or the machine too busy?`;
      const timer = setTimeout(() => end(new Error(late)), ms);
      this.waiting.set(id, { child, end });
      send({ ...question, id });
    });
  }

  take(child: Child, findings: Findings): void {
    const waiting = this.waiting.get(findings.id);
    // The app could write to that pipe too, but not for another worker.
    if (waiting?.child === child) waiting.end(findings);
  }

  /** It has ended. */
  forget(child: Child): void {
    for (const waiting of [...this.waiting.values()])
      if (waiting.child === child) waiting.end(new Error('the worker has ended'));
  }
}
