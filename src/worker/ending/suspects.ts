/** Finds the request that an escaped error comes from, and fails it. */

import { executionAsyncId, triggerAsyncId } from 'node:async_hooks';
// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import type { Suspect } from '../../http/suspect.ts';

export interface Suspects {
  readonly all: readonly Suspect[];
  /** Whether the class runs one request at a time. */
  readonly runsOne: boolean;
}

/** How long the last open request may still answer, and so show that the error was not its own. */
const defaultDoubtMs = 1000;

/**
 * Fails the request that the error comes from: its client would otherwise wait for an answer that never comes. The request is known
 * if the class runs one at a time, or if the code that failed was started by the request's own code. If it is not known, no
 * request is failed at once. The one that is still unanswered when all others are over is then most likely the cause.
 *
 * Call it while the error is being reported: only then does Node say which code was running.
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
    // A request that has begun to answer still runs.
    else if (left[0]?.isStarted === false) left[0].fail(error);
  }, doubtMs).unref();
}
