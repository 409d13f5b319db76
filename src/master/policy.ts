/** Converts settings (seconds, MiB, 0 for no limit) to the pool's policy (milliseconds, bytes, Infinity). */

import { limitMs, milliseconds } from '../config/durations.ts';
import type { Settings } from '../config/settings.ts';
import { beatIntervalMs } from '../ipc/heartbeat.ts';
import type { Policy } from './pool.ts';

/** How much later than a worker's watchdog the master calls it hung: the watchdog comes first, as it knows the stack. */
const watchdogLeadMs = 500;

/** @param isApp whether the workers serve the app, and not an error in its place */
export function policyOf(settings: Settings, isApp = true): Policy {
  return {
    bootMs: limitMs(settings.bootTimeout),
    timeoutMs: settings.timeout === 0 ? Number.POSITIVE_INFINITY : patienceMs(milliseconds(settings.timeout)),
    graceMs: milliseconds(settings.gracefulTimeout),
    maxRequests: settings.maxRequests || Number.POSITIVE_INFINITY,
    requestsJitter: settings.maxRequestsJitter,
    maxLifetimeMs: limitMs(settings.maxWorkerLifetime),
    isDevelopment: settings.reload !== false,
    showsErrors: settings.reload !== false && isApp,
    maxMemoryBytes: settings.maxWorkerMemory * 2 ** 20 || Number.POSITIVE_INFINITY,
  };
}

/** The last beat that the master received may be older than the last that the watchdog saw. */
function patienceMs(timeoutMs: number): number {
  return timeoutMs + beatIntervalMs(timeoutMs) + watchdogLeadMs;
}
