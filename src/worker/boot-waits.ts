/** Tells the master why a worker has not booted for some seconds: otherwise a start would be silent up to `--boot-timeout`. */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { limitMs } from '../config/durations.ts';
import type { Settings } from '../config/settings.ts';
import { sendToMaster } from '../ipc/channel.ts';

/** A step of a boot is long after this time, or after this part of `--boot-timeout`, whichever is shorter. */
const longMs = 5000;
const longPart = 1 / 4;

/** After this time, a step of a boot is worth a line. */
export function longBootMs({ bootTimeout }: Pick<Settings, 'bootTimeout'>): number {
  return Math.min(longMs, limitMs(bootTimeout) * longPart);
}

export function tellWaits(why: string, isGuess = false, stack?: string): void {
  void sendToMaster({ type: 'waits', why, isGuess, stack });
}

/** @param why told if the step takes longer */
export async function tellIfLong<T>(afterMs: number, step: T | Promise<T>, why: string): Promise<T> {
  return whileLong(afterMs, step, () => tellWaits(why));
}

/** @param act called once if the step takes longer */
export async function whileLong<T>(afterMs: number, step: T | Promise<T>, act: () => void): Promise<T> {
  const timer = setTimeout(act, afterMs).unref();
  try {
    return await step;
  } finally {
    clearTimeout(timer);
  }
}
