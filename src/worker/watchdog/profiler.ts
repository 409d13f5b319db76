/** Methods of the inspector by which a CPU profile begins, in this order. */

export const startProfile = ['Profiler.enable', 'Profiler.start'] as const;

/**
 * After it: throws away what V8 has optimised. Of functions that were inlined before a profile began, it would name the callers,
 * and of a loop that was, nothing. It costs the milliseconds until V8 has optimised the busiest ones again.
 */
export const forgetOptimised = ['Profiler.startPreciseCoverage', 'Profiler.stopPreciseCoverage'] as const;
