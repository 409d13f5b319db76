/**
 * Samples what the main thread allocates, for as long as it lives. On the main thread, by a session of its own: one from another
 * thread would make Node wait for it at the end, and say so on standard error.
 */

import { Session } from 'node:inspector';

/** One sample for so many bytes: a leak of a few MiB has enough of them, and a busy worker takes a thousand a second at most. */
const intervalBytes = 512 * 1024;

/** Every session of the process can ask for the profile from now on, and none may stop it. */
export function sampleAllocations(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.enable');
  session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
}
