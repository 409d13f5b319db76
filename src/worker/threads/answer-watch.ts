/**
 * When the main thread looks into the answer rings: it is woken by a message, and then goes on looking in each turn of its
 * loop for as long as it finds something. Under load nobody has to send a message for an answer.
 */

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
    this.look();
  }

  private look(): void {
    if (!this.drain()) {
      this.watch.end();
      // Something may have come between the look and the word that nobody looks.
      if (!this.drain()) {
        this.isOn = false;
        return;
      }
      this.watch.begin();
    }
    setImmediate(() => this.look());
  }
}
