/** Whether the descriptor limit is enough for the configuration: checked at the start, before something fails. */

import type { Configuration } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { connectionCapacity, descriptorLimit, limitRemedy } from '../../descriptors.ts';
import { ConfigError } from '../../errors.ts';

/** What Node and tsgun hold open in a worker, on Linux, with Node 20 to 26. The master holds less. */
const ofWorker = 26;
const perThread = 4;
/** The socket that is inherited, and the copy that accepts. */
const perSocket = 2;
/** For a few connections, and the files that are read to load an app. */
const leastSpare = 12;

/**
 * @returns a warning for the log; undefined if there is none to give
 * @throws ConfigError if the limit does not even allow one worker
 */
export function checkDescriptorLimit(
  { settings, origins }: Pick<Configuration, 'settings' | 'origins'>,
  limit: number | undefined = descriptorLimit(),
): string | undefined {
  if (limit === undefined) return undefined;
  const held = heldByWorker(settings);
  const least = held + leastSpare;
  if (limit < least)
    throw new ConfigError(
      `descriptors: the limit is ${limit} open files for each process, and ${nameWorker(settings)} needs at least ${least}: ${limitRemedy}`,
    );
  const wanted = settings.workerConnections;
  const capacity = connectionCapacity(wanted, limit, held);
  if (capacity >= wanted || origins.workerConnections === 'default') return undefined;
  return `workerConnections: the limit of ${limit} file descriptors leaves room for about ${capacity} connections in each worker, and not for ${wanted} (${origins.workerConnections}): ${limitRemedy}`;
}

function heldByWorker({ bind, workerClass, threads }: Settings): number {
  return ofWorker + perSocket * bind.length + (workerClass === 'threaded' ? perThread * threads : 0);
}

function nameWorker({ workerClass, threads }: Settings): string {
  return workerClass === 'threaded'
    ? `a threaded worker with ${threads} threads`
    : `a worker of the class ${workerClass}`;
}
