/** The built files that processes and threads start from. The URLs hold in dist, where this file lies as deep as in src. */

export const workerEntry = new URL('../worker/main.js', import.meta.url);
export const threadEntry = new URL('../worker/threads/inside/thread.cjs', import.meta.url);
export const watchdogEntry = new URL('../worker/watchdog/thread.cjs', import.meta.url);
