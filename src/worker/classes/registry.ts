/** The worker classes by name. A new class is one file, and one line here. */

import type { AppInterface } from '../../app/interface.ts';
import type { Settings } from '../../config/settings.ts';
import { ConfigError } from '../../errors.ts';
import type { ClassDescriptor, WorkerClass } from './worker.ts';

type ClassName = Settings['workerClass'];

const asyncClass = async () => (await import('./async.ts')).asyncWorker;

export const registry: Record<ClassName, ClassDescriptor> = {
  threaded: { requests: async () => (await import('./threaded.ts')).threadedClass() },
  async: { requests: asyncClass, connections: asyncClass },
  sync: {
    requests: async () => (await import('./sync.ts')).syncWorker,
    connections: async () => (await import('./sync-connections.ts')).syncConnectionWorker,
  },
};

/** @throws ConfigError if the class cannot serve such an app */
export async function loadClass(name: ClassName, serves: AppInterface['serves'], asked: string): Promise<WorkerClass> {
  const load = registry[name][serves];
  if (load !== undefined) return load();
  const others = Object.entries(registry).flatMap(([other, { connections }]) => (connections ? [other] : []));
  throw new ConfigError(
    `interface: ${asked} does not run in the ${name} class, as a thread cannot be given a socket; take --worker-class ${others.join(' or ')}`,
  );
}
