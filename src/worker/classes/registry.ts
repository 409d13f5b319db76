/** The worker classes by name. A new class is one file, and one line here. */

import type { AppInterface } from '../../app/interface.ts';
import type { Settings } from '../../config/settings.ts';
import type { ClassDescriptor, WorkerClass } from './worker.ts';

type ClassName = Settings['workerClass'];

const threadedClass = async () => (await import('./threaded.ts')).threadedClass();
const asyncClass = async () => (await import('./async.ts')).asyncWorker;

export const registry: Record<ClassName, ClassDescriptor> = {
  threaded: { requests: threadedClass, connections: threadedClass },
  async: { requests: asyncClass, connections: asyncClass },
  sync: {
    requests: async () => (await import('./sync.ts')).syncWorker,
    connections: async () => (await import('./sync-connections.ts')).syncConnectionWorker,
  },
};

export function loadClass(name: ClassName, serves: AppInterface['serves']): Promise<WorkerClass> {
  return registry[name][serves]();
}
