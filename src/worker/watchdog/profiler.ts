/** Methods of the inspector by which a CPU profile begins, in this order. */

export const startProfile = ['Profiler.enable', 'Profiler.start'] as const;

/**
 * After those: V8 throws away what it has optimised. A profile would otherwise name the callers of functions that were inlined
 * before it began, and would not see a loop in such code. It costs the milliseconds until V8 has optimised the busiest ones again.
 */
export const forgetOptimised = ['Profiler.startPreciseCoverage', 'Profiler.stopPreciseCoverage'] as const;
