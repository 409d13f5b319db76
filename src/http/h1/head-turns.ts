/**
 * Large heads are read in turns: one read for each turn of the event loop, whatever the number of connections. A read is up to
 * 64 KiB, which costs the parser half a millisecond at worst; a volley of such heads at once would keep all other clients waiting.
 */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';

/** Of the wire only what is needed here. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** In order of their last reads. */
const waiting: Pausable[] = [];

/** Pauses a connection in the middle of a large head until its turn comes. */
export function waitForTurn(wire: Pausable): void {
  wire.pause();
  if (waiting.push(wire) === 1) setImmediate(resumeNext);
}

function resumeNext(): void {
  const wire = waiting.shift()!;
  if (waiting.length > 0) setImmediate(resumeNext);
  wire.resume();
}
