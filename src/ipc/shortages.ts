/**
 * Reports what a worker has run out of. The master writes the line: a shortage mostly affects all workers, and is
 * worth one line a minute.
 */

import { sendToMaster } from './channel.ts';
import type { Shortage } from './messages.ts';

/** The least time between reports: each failed request of a busy worker may notice a shortage. */
const tellEveryMs = 1000;

export class Shortages {
  /** Called at once when an open finds no free descriptor. */
  onDescriptors: (() => void) | undefined = undefined;
  /** Called when the app seems to leak descriptors. */
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
