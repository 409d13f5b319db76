/**
 * Asks upgraded connections to end while the server drains: one after another, because their clients all connect again at once,
 * and to the same few workers.
 */

// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';

/** A connection after an upgrade. */
interface Upgraded {
  /** @returns whether the connection was asked; false while the app is in the middle of a message, and is to be asked again */
  sayFarewell(): boolean;
}

const spreadMs = 3000;
const tickMs = 50;

export class Farewells {
  private readonly waiting = new Set<Upgraded>();
  private perTick = 0;
  private timer: NodeJS.Timeout | undefined = undefined;

  /** Asks the first one at once. */
  begin(upgraded: readonly Upgraded[]): void {
    for (const each of upgraded) this.waiting.add(each);
    this.perTick = Math.ceil((this.waiting.size * tickMs) / spreadMs);
    this.go();
  }

  /** For a connection that is upgraded while the server drains. */
  add(upgraded: Upgraded): void {
    this.waiting.add(upgraded);
    this.perTick = Math.max(this.perTick, 1);
    this.timer ??= setInterval(() => this.go(), tickMs).unref();
  }

  /** There is no time to ask one after another. */
  hurry(): void {
    if (this.timer === undefined) return;
    this.perTick = Number.POSITIVE_INFINITY;
    this.go();
  }

  forget(upgraded: Upgraded): void {
    this.waiting.delete(upgraded);
  }

  private go(): void {
    let left = this.perTick;
    for (const each of [...this.waiting]) {
      if (left-- <= 0) break;
      this.waiting.delete(each);
      // It then comes last.
      if (!each.sayFarewell()) this.waiting.add(each);
    }
    if (this.waiting.size > 0) this.timer ??= setInterval(() => this.go(), tickMs).unref();
    else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}
