/** A warning that much traffic could repeat: it is logged once a minute at most, with the number of those that were not. */

import type { Logger } from '../../logger.ts';

const intervalMs = 60_000;

export class RepeatedWarning {
  private readonly log: Logger;
  private readonly text: string;
  private loggedAt = Number.NEGATIVE_INFINITY;
  private suppressed = 0;

  constructor(log: Logger, text: string) {
    this.log = log;
    this.text = text;
  }

  say(fields: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if (now - this.loggedAt < intervalMs) {
      this.suppressed++;
      return;
    }
    const { suppressed } = this;
    this.log.say('warn', suppressed > 0 ? { ...fields, suppressed } : fields, this.text);
    this.loggedAt = now;
    this.suppressed = 0;
  }
}
