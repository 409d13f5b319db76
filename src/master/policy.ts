/** Settings, which users write in seconds and MiB, 0 for no limit, to what the pool goes by. */

import type { Settings } from '../config/settings.ts';
import { beatEveryMs } from '../ipc/heartbeat.ts';
import type { Policy } from './pool.ts';

/** How much later than a worker's own watchdog the master finds it hung: the watchdog knows the stack. */
const watchdogLeadMs = 500;

export function policyOf(settings: Settings): Policy {
  return {
    bootMs: settings.bootTimeout * 1000,
    timeoutMs: settings.timeout === 0 ? Number.POSITIVE_INFINITY : patienceMs(settings.timeout * 1000),
    graceMs: settings.gracefulTimeout * 1000,
    maxRequests: settings.maxRequests || Number.POSITIVE_INFINITY,
    requestsJitter: settings.maxRequestsJitter,
    maxLifetimeMs: settings.maxWorkerLifetime * 1000 || Number.POSITIVE_INFINITY,
    maxMemoryBytes: settings.maxWorkerMemory * 2 ** 20 || Number.POSITIVE_INFINITY,
  };
}

/** The last beat that came may be older than the last one that the watchdog saw. */
function patienceMs(timeoutMs: number): number {
  return timeoutMs + beatEveryMs(timeoutMs) + watchdogLeadMs;
}
