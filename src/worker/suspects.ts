/** An error has escaped the app: which request it comes from, and what becomes of that. */

import { executionAsyncId, triggerAsyncId } from 'node:async_hooks';
// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { Suspect } from '../http/suspect.ts';

export interface Suspects {
  readonly all: readonly Suspect[];
  /** Whether the app never has more than one request. */
  readonly runsOne: boolean;
}

/** What the last request gets to show that the error was not its own, in a class that may run several. */
const defaultDoubtMs = 1000;

/**
 * Fails the request that the error comes from, so that its client does not wait for an answer that never comes. It is known where
 * the class runs one request at a time, or where the failed code was started by the request's own. If it is not known, all may
 * go on, and it is most likely the one that is left unanswered when the others are over.
 *
 * To be called while the error is reported: only then Node says what was running.
 */
export function failSuspect({ all, runsOne }: Suspects, error: unknown, doubtMs = defaultDoubtMs): void {
  const open = all.filter(({ isOpen }) => isOpen);
  const known = runsOne ? open[0] : open.find(isRunning);
  if (known === undefined) failLast(open, error, doubtMs);
  else known.fail(error);
}

function isRunning({ asyncId }: Suspect): boolean {
  return asyncId !== undefined && (asyncId === executionAsyncId() || asyncId === triggerAsyncId());
}

function failLast(open: readonly Suspect[], error: unknown, doubtMs: number): void {
  if (open.length === 0) return;
  setTimeout(() => {
    const left = open.filter(({ isOpen }) => isOpen);
    if (open.length > 1) failLast(left, error, doubtMs);
    // One that has begun to answer is at work.
    else if (left[0]?.isStarted === false) left[0].fail(error);
  }, doubtMs).unref();
}
