/** Tells the master why a worker has not booted for some seconds: otherwise a start would be silent up to `--boot-timeout`. */

// Not the globals, which an app may replace.
import { clearTimeout, setTimeout } from 'node:timers';
import { sendToMaster } from '../ipc/channel.ts';

/** A step is told after this time, or after this part of the time to boot. */
const longMs = 5000;
const longPart = 1 / 4;

export function tellWaits(why: string): void {
  void sendToMaster({ type: 'waits', why });
}

/** @param why told if the step takes long */
export async function tellIfLong<T>(bootMs: number, step: T | Promise<T>, why: string): Promise<T> {
  const timer = setTimeout(tellWaits, Math.min(longMs, bootMs * longPart), why).unref();
  try {
    return await step;
  } finally {
    clearTimeout(timer);
  }
}
