/**
 * Samples what the main thread allocates, until it ends. It uses an inspector session of the main thread itself: for one
 * from another thread, Node would wait at the end, and print so on standard error.
 */

import { Session } from 'node:inspector';

/**
 * The mean number of bytes between samples: a leak of a few MiB has enough of them, and a busy worker takes at most a thousand
 * a second.
 */
const intervalBytes = 512 * 1024;

/** From now on every session of the process can read the profile. None may stop it. */
export function sampleAllocations(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.enable');
  session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
}
