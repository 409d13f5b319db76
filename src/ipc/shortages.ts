/**
 * What a worker has run out of, for the log. The master writes the line: one worker's shortage is mostly that of all, and is
 * worth one line a minute.
 */

import { sendToMaster } from './channel.ts';
import type { Shortage } from './messages.ts';

/** Each failed request of a busy worker may be one. */
const tellEveryMs = 1000;

export class Shortages {
  /** Called at once where somebody found no descriptor free. */
  onDescriptors: (() => void) | undefined = undefined;
  /** Called where the app seems to hold on to what it opens. */
  onLeak: (() => void) | undefined = undefined;
  private readonly toldAt = new Map<string, number>();

  tell(shortage: Shortage): void {
    const kind = `${shortage.of} ${shortage.where}`;
    const now = performance.now();
    const isNews = now - (this.toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) >= tellEveryMs;
    if (isNews) {
      this.toldAt.set(kind, now);
      void sendToMaster({ type: 'short', ...shortage });
    }
    if (shortage.of === 'descriptors' && shortage.where === 'app') this.onDescriptors?.();
  }
}
