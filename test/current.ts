/** The test that runs: what to do when it is over, and how long it may still wait. Several of a file may run at once. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { type OnTestFinishedHandler, onTestFinished as onCurrentFinished, type TestContext } from 'vitest';

interface Current {
  readonly context: TestContext;
  /** When vitest gives it up, by `performance.now()`. */
  readonly endsAt: number;
}

const current = new AsyncLocalStorage<Current>();
/** To be ahead of vitest, which only says that the test took too long. */
const aheadMs = 2000;
/** Of what runs in no test: hooks. */
const usualMs = 60_000;

export function runAsCurrent(context: TestContext, run: () => Promise<void>): Promise<void> {
  return current.run({ context, endsAt: performance.now() + context.task.timeout }, run);
}

/** vitest's own function knows one current test. With several at once, that is another one after the first `await`. */
export function onTestFinished(callback: OnTestFinishedHandler): void {
  const context = current.getStore()?.context;
  if (context === undefined) onCurrentFinished(callback);
  else context.onTestFinished(callback);
}

/** Fails shortly before the test's time is over, and says what it waited for. */
export async function inTime<T>(waiting: Promise<T>, what: () => string): Promise<T> {
  const leftMs = msLeft();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${Math.round(leftMs / 1000)} s in vain for ${what()}`)), leftMs);
  });
  try {
    return await Promise.race([waiting, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until the check holds; for what only the outside can show, such as a port that is free again. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  let isOver = false;
  const poll = async () => {
    while (!isOver && !(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  try {
    await inTime(poll(), () => String(check));
  } finally {
    isOver = true;
  }
}

function msLeft(): number {
  const endsAt = current.getStore()?.endsAt ?? performance.now() + usualMs;
  return Math.max(0, endsAt - performance.now() - aheadMs);
}
