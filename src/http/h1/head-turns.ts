/**
 * Large heads are read in turns: one read for each turn of the event loop, whatever the number of connections. A read is up to
 * 64 KiB, which costs the parser half a millisecond at worst; a volley of such heads at once would keep all other clients waiting.
 */

import { AsyncResource } from 'node:async_hooks';
// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';

/** Of the wire only what is needed here. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** In order of their last reads. */
const waiting: (() => void)[] = [];

/** Pauses a connection in the middle of a large head until its turn comes. */
export function waitForTurn(wire: Pausable): void {
  wire.pause();
  // In its own context: that of another connection may hold the stores of another client (`AsyncLocalStorage`).
  if (waiting.push(AsyncResource.bind(() => wire.resume())) === 1) setImmediate(resumeNext);
}

function resumeNext(): void {
  const resume = waiting.shift()!;
  if (waiting.length > 0) setImmediate(resumeNext);
  resume();
}
