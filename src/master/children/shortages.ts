/** The log's line when a worker has run out of connections or descriptors: one a minute for the whole service. */

import { type DescriptorError, descriptorLimit, limitRemedy } from '../../descriptors.ts';
import type { Shortage } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import type { WorkerName } from './hangs.ts';

const logEveryMs = 60_000;

export class ShortageLog {
  /** Read at the start: once descriptors have run out, the limit may be unreadable. */
  private readonly limit = descriptorLimit();
  private readonly byKind = new Map<Shortage['of'], { loggedAt: number; unlogged: number }>();

  /** @param now in milliseconds */
  note(log: Logger, name: WorkerName, shortage: Shortage, now: number): void {
    const last = this.byKind.get(shortage.of);
    if (last !== undefined && now - last.loggedAt < logEveryMs) {
      last.unlogged++;
      return;
    }
    this.byKind.set(shortage.of, { loggedAt: now, unlogged: 0 });
    const repeated = last === undefined || last.unlogged === 0 ? {} : { repeated: last.unlogged };
    if (shortage.of === 'connections') logConnections(log, { ...name, ...repeated }, shortage);
    else logDescriptors(log, { ...name, ...repeated }, shortage, descriptorLimit() ?? this.limit);
  }
}

function logConnections(log: Logger, name: WorkerName, { connections }: Shortage): void {
  const message = `the worker holds as many connections as it may (${connections}): a new one takes the place of the longest idle one; if none is idle, new ones wait`;
  log.event('warn', 'connections_full', { ...name, connections }, message);
}

const consequences: Record<Shortage['where'], (shortage: Shortage) => string> = {
  accept: () => 'connections wait until one is free',
  room: ({ connections }) => `they leave room for ${connections} connections, which are all taken`,
  app: () => 'the app could not open a file or a connection',
  fork: () => 'no worker can be started for now',
};

function logDescriptors(log: Logger, name: WorkerName, shortage: Shortage, limit: number | undefined): void {
  const { where, code, connections } = shortage;
  const fields = { ...name, where, limit, ...(connections === undefined ? {} : { connections }) };
  log.event('warn', 'out_of_descriptors', fields, `${describeLimit(limit, code)}: ${consequences[where](shortage)}`);
}

function describeLimit(limit: number | undefined, code: DescriptorError | undefined): string {
  if (code === 'ENFILE') return 'the system is out of file descriptors (raise fs.file-max)';
  return `out of file descriptors (the limit is ${limit ?? 'not known'}; ${limitRemedy})`;
}
