/** Garbage collection on demand, without a flag on the command line: a worker's flags are not ours to give. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** @returns what is in use once all garbage is gone, as JSON */
export function memoryInUse() {
  // Twice: finalizers of the first run free what the second one finds.
  collect();
  collect();
  return JSON.stringify(process.memoryUsage());
}
