/**
 * When the main thread looks into the answer rings: a message wakes it, and then it checks in each turn of its loop
 * while it finds answers. So under load no answer needs a message.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import type { Watch } from './answer-ring.ts';

export class AnswerWatch {
  isOn = false;
  private readonly watch: Watch;
  private readonly drain: () => boolean;

  /** @param drain takes all that is in the rings, and says whether there was something */
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
      // Something may have come between the look and the word that nobody looks.
      if (!this.drain()) {
        this.isOn = false;
        return;
      }
      this.watch.begin();
    }
    setImmediate(() => this.checkRings());
  }
}
