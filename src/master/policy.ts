/** Settings, which users write in seconds and MiB, 0 for no limit, to what the pool goes by. */

import { limitMs, milliseconds } from '../config/durations.ts';
import type { Settings } from '../config/settings.ts';
import { beatEveryMs } from '../ipc/heartbeat.ts';
import type { Policy } from './pool.ts';

/** How much later than a worker's own watchdog the master finds it hung: the watchdog knows the stack. */
const watchdogLeadMs = 500;

export function policyOf(settings: Settings): Policy {
  return {
    bootMs: milliseconds(settings.bootTimeout),
    timeoutMs: settings.timeout === 0 ? Number.POSITIVE_INFINITY : patienceMs(milliseconds(settings.timeout)),
    graceMs: milliseconds(settings.gracefulTimeout),
    maxRequests: settings.maxRequests || Number.POSITIVE_INFINITY,
    requestsJitter: settings.maxRequestsJitter,
    maxLifetimeMs: limitMs(settings.maxWorkerLifetime),
    maxMemoryBytes: settings.maxWorkerMemory * 2 ** 20 || Number.POSITIVE_INFINITY,
  };
}

/** The last beat that came may be older than the last one that the watchdog saw. */
function patienceMs(timeoutMs: number): number {
  return timeoutMs + beatEveryMs(timeoutMs) + watchdogLeadMs;
}
