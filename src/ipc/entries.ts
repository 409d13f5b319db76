/**
 * The files that processes and threads start from. Each keeps the extension of this one: compiled or not, all are of one
 * kind. Addresses hold in src and in dist, where this file lies as deep.
 */

const entry = (path: string) => new URL(`../${path}${import.meta.url.slice(-3)}`, import.meta.url);

export const workerEntry = entry('worker/main');
export const threadEntry = entry('worker/threads/inside/thread');
export const watchdogEntry = entry('worker/watchdog/thread');
