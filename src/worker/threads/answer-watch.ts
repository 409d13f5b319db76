/**
 * Decides when the main thread reads the answer rings: a message wakes it, and then it reads in each turn of its event loop
 * while it finds answers. So under load no answer needs a message.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import type { Watch } from './answer-ring.ts';

export class AnswerWatch {
  isOn = false;
  private readonly watch: Watch;
  private readonly drain: () => boolean;

  /** @param drain takes all answers in the rings, and returns whether there were some */
  constructor(watch: Watch, drain: () => boolean) {
    this.watch = watch;
    this.drain = drain;
  }

  /** A thread has sent a message: there may be answers. */
  wake(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.watch.begin();
    this.checkRings();
  }

  private checkRings(): void {
    if (!this.drain()) {
      this.watch.end();
      // A thread may have written between the last read and `end`, and not woken this thread.
      if (!this.drain()) {
        this.isOn = false;
        return;
      }
      this.watch.begin();
    }
    setImmediate(() => this.checkRings());
  }
}
