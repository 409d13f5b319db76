/** Tells the master why a worker has not booted for some seconds: otherwise a start would be silent up to `--boot-timeout`. */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { milliseconds } from '../config/durations.ts';
import type { Settings } from '../config/settings.ts';
import { sendToMaster } from '../ipc/channel.ts';

/** A step of a boot is long after this time, or after this part of `--boot-timeout`, whichever is shorter. */
const longMs = 5000;
const longPart = 1 / 4;

/** After this time, a step of a boot is worth a line. */
export function longBootMs({ bootTimeout }: Pick<Settings, 'bootTimeout'>): number {
  return Math.min(longMs, milliseconds(bootTimeout) * longPart);
}

export function tellWaits(why: string, isGuess = false): void {
  void sendToMaster({ type: 'waits', why, isGuess });
}

/** @param why told if the step takes longer */
export async function tellIfLong<T>(afterMs: number, step: T | Promise<T>, why: string, isGuess = false): Promise<T> {
  const timer = setTimeout(tellWaits, afterMs, why, isGuess).unref();
  try {
    return await step;
  } finally {
    clearTimeout(timer);
  }
}
