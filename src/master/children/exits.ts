/** How the log tells the end of a worker: one line, as grave as the reason. */

import { BootError, type ErrorReport, report } from '../../errors.ts';
import type { ExitReason } from '../../ipc/messages.ts';
import type { Level, Logger } from '../../logger.ts';
import type { Child, Policy, Pool } from '../pool.ts';
import type { WorkerName } from './hangs.ts';

export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  readonly uptimeMs: number;
  readonly requests: number;
};

const expected: readonly ExitReason[] = ['reload', 'max_requests', 'max_memory', 'scaled_down', 'shutdown'];

/** @param error why it did not boot, where that is the reason */
export function logExit(
  log: Logger,
  fields: Exit & { pid: number | undefined },
  error: ErrorReport | undefined,
  pool: Pool,
): void {
  if (error === undefined) {
    const level = expected.includes(fields.reason) ? 'info' : 'warn';
    return log.event(level, 'worker_exited', fields, `worker exited: ${fields.reason}`);
  }
  const { message, stack } = error;
  log.event(bootLevel(pool), 'worker_exited', { ...fields, error: message, ...(stack ? { stack } : {}) }, message);
}

/** A worker that has done enough, or grown too large, is told to leave: another serves in its place. */
export function logRecycling(log: Logger, name: WorkerName, { requests, worn: reason }: Child): void {
  log.event('info', 'worker_recycled', { ...name, reason, requests }, `worker recycled: ${reason}`);
}

/** Before the first service, the first failure is everyone's: the others would only repeat it. */
function bootLevel({ hasServed, isStopping }: Pool): Level {
  if (hasServed) return 'error';
  return isStopping ? 'debug' : 'fatal';
}

/** For a worker that failed to boot and did not say why. */
export function explainBoot({ state }: Child, { bootMs }: Policy, { code, signal }: Exit): ErrorReport {
  const how = signal ?? (code === null ? 'it could not be started' : `code ${code}`);
  const text =
    state === 'killed'
      ? `worker not ready within ${bootMs / 1000} s (bootTimeout): does the app, or a hook, wait for something?`
      : `worker exited while booting (${how}), before the app was loaded`;
  return report(new BootError(text));
}
