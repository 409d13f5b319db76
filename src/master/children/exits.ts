/** The log's line for the end of a worker, at a level that suits the reason; and the lines for what follows. */

import { BootError, type ErrorReport, report } from '../../errors.ts';
import type { Awaited, ExitReason, Findings } from '../../ipc/messages.ts';
import type { Level, Logger } from '../../logger.ts';
import type { Consequence } from '../endings.ts';
import type { Child, Ending, Policy, Pool, RecycleReason } from '../pool.ts';
import { nameOf } from './hangs.ts';
import type { MemoryKill } from './memory-kills.ts';

const expected: readonly ExitReason[] = [
  'reload',
  'max_requests',
  'max_memory',
  'max_lifetime',
  'scaled_down',
  'shutdown',
];

export interface ExitDetails {
  /** Shown on a terminal in place of the line. */
  readonly screen: string | undefined;
  readonly consequence: Consequence;
  /** Why it did not boot, if that is the reason. */
  readonly error: ErrorReport | undefined;
  readonly memoryKill: MemoryKill | undefined;
  /** Resident at its last beat. */
  readonly memoryBytes: number;
}

export function logExit(log: Logger, ending: Ending, pool: Pool, details: ExitDetails): void {
  const { code, signal, reason, uptimeMs, requests } = ending;
  const { error, memoryKill } = details;
  const fields = {
    ...nameOf(ending),
    code,
    signal,
    reason,
    uptimeMs,
    requests,
    ...(reason === 'max_memory' ? memoryFields(details.memoryBytes, pool.policy) : {}),
    ...(memoryKill === undefined ? {} : { memoryKill, memoryBytes: details.memoryBytes }),
    ...(error === undefined ? {} : { error: error.message }),
    ...(error?.stack === undefined ? {} : { stack: error.stack }),
  };
  const why = memoryKill === undefined ? '' : `, it seems by the kernel for lack of memory (${counts[memoryKill]})`;
  const message = `${error === undefined ? `worker exited: ${reason}${howOf(ending)}` : error.message}${why}`;
  log.event(levelOf(reason, pool, details.consequence), 'worker_exited', fields, message, details.screen);
}

/** What the code or the signal of a crash most likely means. */
function howOf({ code, signal, reason }: Ending): string {
  if (reason !== 'crashed') return '';
  if (signal === 'SIGABRT') return ' by SIGABRT: Node gave up, most often at its heap limit; its own lines say why';
  return signal === null ? ` with code ${code}` : ` by ${signal}, most often in native code`;
}

const counts: Record<MemoryKill, string> = {
  cgroup: 'its count of such kills in this control group has risen',
  machine: 'its count of such kills has risen',
};

function levelOf(reason: ExitReason, { hasServed }: Pool, { type }: Consequence): Level {
  if (reason !== 'boot_failed') return expected.includes(reason) ? 'info' : 'warn';
  if (hasServed || type === 'broken') return 'error';
  // If no worker was ever ready, the others would only repeat the first failure.
  return type === 'start_failed' ? 'fatal' : 'debug';
}

/** A worker is recycled: it has served enough, or has grown too large, and another serves in its place. */
export function logRecycling(log: Logger, child: Child, reason: RecycleReason, { policy }: Pool): void {
  const { requests, memoryBytes } = child.beat;
  const memory = reason === 'max_memory' ? memoryFields(memoryBytes, policy) : {};
  log.event('info', 'worker_recycled', { ...nameOf(child), reason, requests, ...memory }, `worker recycled: ${reason}`);
}

function memoryFields(memoryBytes: number, { maxMemoryBytes }: Policy): { memoryBytes: number; limitBytes: number } {
  return { memoryBytes, limitBytes: maxMemoryBytes };
}

/** A pause before a spawn: the log says how long, and why. */
export function logDelay(log: Logger, { worker, reason }: Ending, consequence: Consequence): void {
  if (consequence.type !== 'delayed') return;
  const { delayMs, failures, crashesLastMinute } = consequence;
  const fields = { worker, delayMs, reason, failures, crashesLastMinute };
  const message = `worker ${worker} is spawned again in ${delayMs / 1000} s: ${failures} failures in a row (${reason})`;
  log.event('warn', 'spawn_delayed', fields, message);
}

/** What is known of a boot that takes long. */
export interface SlowBoot {
  /** What the worker waits for. */
  readonly waits?: string | undefined;
  /** Where its code is, if it does not return. */
  readonly stack?: string | undefined;
}

/** For a worker that failed to boot and did not report why. */
export function explainBoot(
  { state }: Pick<Child, 'state'>,
  { bootMs }: Pick<Policy, 'bootMs'>,
  { code, signal }: Pick<Ending, 'code' | 'signal'>,
  { waits, stack }: SlowBoot = {},
): ErrorReport {
  const how = signal ?? (code === null ? 'it could not be started' : `code ${code}`);
  if (state !== 'killed')
    return report(new BootError(`worker exited while booting (${how}), before the app was loaded`));
  const late = `worker not ready within ${bootMs / 1000} s (bootTimeout)`;
  const guess = 'does the app, or a hook, wait for something?';
  if (stack === undefined) return report(new BootError(`${late}: ${waits ?? guess}`));
  // The lines of an error's stack are indented; those of a hang's are not.
  const lines = stack.replace(/^/gm, '    ');
  return { ...report(new BootError(`${late}: code of the app has not returned, see the stack`)), stack: lines };
}

/** Without this line, a start that waits looks like one that hangs. */
export function logWaits(
  log: Logger,
  child: Child,
  { why, stack }: Awaited,
  { bootMs }: Pick<Policy, 'bootMs'>,
  now: number,
): void {
  const waitedMs = Math.round(now - child.spawnedAt);
  const fields = { ...nameOf(child), waitedMs, ...(stack === undefined ? {} : { stack }) };
  log.say('warn', fields, `a worker is ${notReady(bootMs, why)}`);
}

export function notReady(bootMs: number, why: string): string {
  const limit = Number.isFinite(bootMs) ? `tsgun waits up to ${bootMs / 1000} s` : 'tsgun waits without a limit';
  return `not ready yet (${limit}, see bootTimeout): ${why}`;
}

/** Why a reload is given up although the new workers boot. */
export function explainCrash({ code, signal, uptimeMs }: Ending): ErrorReport {
  const how = signal ?? `code ${code}`;
  return report(new BootError(`a new worker ended after ${uptimeMs} ms (${how}), before its first request`));
}

/**
 * Where the memory of a worker that is recycled for it has grown most.
 * @param sampler the worker that has sampled it: itself, or another one of its generation
 */
export function logGrowth(log: Logger, child: Child, sampler: Child, findings: Findings): void {
  if (!('growth' in findings) || findings.growth.length === 0) return;
  const grew = findings.growth.map(({ site, bytes }) => ({ site, mebibytes: Math.round((bytes / 2 ** 20) * 10) / 10 }));
  const message = 'where the worker allocated most of what it still holds';
  if (sampler === child) return log.say('warn', { ...nameOf(child), grew }, message);
  const fields = { ...nameOf(child), sampledIn: sampler.pid, grew };
  log.say('warn', fields, `${message}, in worker ${sampler.worker}, which runs the same code`);
}
