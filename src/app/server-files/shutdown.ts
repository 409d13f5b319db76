/**
 * The app's own end, where its process or its thread leaves: it has answered all, and its code for a signal runs as it would
 * under Node, until nothing is left to do or it calls `process.exit`.
 */

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { report } from '../../errors.ts';
import { emitToApp } from '../../node/process-events.ts';
import type { Listening } from './listening.ts';

/** Numbers that listeners get along with the name (signal(7)). */
const numbers = { SIGTERM: 15, SIGINT: 2 } as const;
/** How long code may take that listens for the end of its server or its process, but for no signal. */
const shortMs = 1000;

/**
 * Resolves when it has ended, if it does not end the process or the thread before. The caller sets the limit, and must hold
 * nothing that keeps the process alive.
 */
export async function shutDown(listening: Listening | undefined, onError: (text: string) => void): Promise<void> {
  const server = listening?.chosen?.server;
  const signal = (['SIGTERM', 'SIGINT'] as const).find((each) => process.listenerCount(each) > 0);
  const hasEndings = process.listenerCount('beforeExit') > 0 || (server?.listenerCount('close') ?? 0) > 0;
  const ended = once(process, 'beforeExit');
  const endsItself = untilKilledByItself();
  try {
    if (signal !== undefined) emitToApp(signal, signal, numbers[signal]);
    else if (server?.listening) server.close();
  } catch (error) {
    onError(`the app's code for its end failed: ${report(error).message}`);
  }
  if (signal !== undefined) await Promise.race([ended, endsItself]);
  else if (hasEndings) await Promise.race([ended, endsItself, setTimeout(shortMs, undefined, { ref: false })]);
}

const endings = new Set<string | number>(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGKILL', 15, 2, 3, 1, 9]);

/** Shutdown code that has finished often sends itself the signal again, so that Node ends the process. Here that ends the wait. */
function untilKilledByItself(): Promise<void> {
  return new Promise((resolve) => {
    const { kill } = process;
    process.kill = (pid, signal = 'SIGTERM') => {
      if (pid !== process.pid || !endings.has(signal)) return kill.call(process, pid, signal);
      resolve();
      return true;
    };
  });
}
