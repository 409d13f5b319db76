/**
 * A client that has closed its half of the connection (FIN) while its request is being answered. TCP does not tell whether it
 * has left, or has only finished sending and waits for its answer. So what the app writes within a second still goes out, and
 * starts that second again. After it the client counts as departed, and its place is free.
 */

// Not the globals, which an app may replace.
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import type { Exchange } from './exchange.ts';
import { departureMs } from './limits.ts';

const pollMs = 100;

/**
 * Calls back once if a client has closed its half and the app is then silent for too long.
 * @param progress returns a number that changes whenever bytes are written or taken
 * @param limitMs is called for each check
 * @returns a function that ends the watch
 */
export function watchSilence(progress: () => number, limitMs: () => number, onDeparted: () => void): () => void {
  let before = progress();
  let silentMs = 0;
  const timer = setInterval(() => {
    // It counts polls instead of time: in a busy event loop this timer fires before what the app waits for.
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
 * Calls back when the exchange was aborted, and a second has passed since its app was told that the client left. An app that
 * has not finished by then no longer keeps its place.
 */
export function onPlaceFree(exchange: Exchange, free: () => void): void {
  exchange.onAbort(() => {
    // At least one turn of the event loop, in which iterators end and promises settle.
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
      // In a busy event loop this timer fires before what the app waits for, so sockets are read first.
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
