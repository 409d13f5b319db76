/**
 * A client that has closed its half of the connection (FIN) while its request is being answered. TCP does not tell whether it
 * has left, or has only finished sending and waits for its answer. So what the app writes within a second still goes out, and
 * renews that second. After it the client counts as departed, and its place is free.
 */

// Not the globals, which an app may replace.
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import type { Exchange } from './exchange.ts';
import { departureMs } from './limits.ts';

const pollMs = 100;

/**
 * Calls back once when a client has closed its half, and the app has then been silent for too long.
 * @param progress a number that changes with all that is written, and taken
 * @param limitMs asked each time
 * @returns how to stop it
 */
export function watchSilence(progress: () => number, limitMs: () => number, onDeparted: () => void): () => void {
  let before = progress();
  let silentMs = 0;
  const timer = setInterval(() => {
    // It counts polls, not time: on a busy loop this timer fires ahead of what the app waits for.
    setImmediate(() => {
      const now = progress();
      silentMs = now === before ? silentMs + pollMs : 0;
      before = now;
      if (silentMs < limitMs()) return;
      clearInterval(timer);
      onDeparted();
    });
  }, pollMs).unref();
  return () => clearInterval(timer);
}

/**
 * Calls back when the exchange has been aborted and a second has passed since its app was told that the client left. From then
 * on, an app that has not finished with the request does not hold its place any more.
 */
export function onPlaceFree(exchange: Exchange, free: () => void): void {
  exchange.onAbort(() => {
    // At least one turn of the loop, in which iterators end and promises settle.
    setTimeout(free, Math.max(0, exchange.leftAt + departureMs - performance.now())).unref();
  });
}

export class Departure {
  private readonly timer: NodeJS.Timeout;
  private isOver = false;

  /** @param onDeparted called once, unless `stop` comes first */
  constructor(onDeparted: () => void) {
    this.timer = setTimeout(() => {
      this.isOver = true;
      // On a busy loop this timer comes ahead of what the app waits for: the sockets are read first.
      setImmediate(() => {
        if (this.isOver) onDeparted();
      });
    }, departureMs).unref();
  }

  /** The app has written something, or the client has taken something. */
  renew(): void {
    this.isOver = false;
    this.timer.refresh();
  }

  stop(): void {
    this.isOver = false;
    clearTimeout(this.timer);
  }
}
