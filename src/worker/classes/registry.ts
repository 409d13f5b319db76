/** The worker classes by name. A new one is one file and one line here. */

import type { Settings } from '../../config/settings.ts';
import type { WorkerClass } from './worker.ts';

export const registry: Record<Settings['workerClass'], () => Promise<WorkerClass>> = {
  threaded: async () => (await import('./threaded.ts')).threadedClass(),
  async: async () => (await import('./async.ts')).asyncWorker,
  sync: async () => (await import('./sync.ts')).syncWorker,
};
