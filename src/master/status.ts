/** What `tsgun status --json` prints: the snapshot, and what is served where. Pure. */

import type { Settings } from '../config/settings.ts';
import type { Snapshot } from './snapshot.ts';

export interface Status extends Omit<Snapshot, 'lastExit'> {
  readonly app: string;
  readonly addresses: readonly string[];
  readonly workerClass: Settings['workerClass'];
  readonly procName: string;
  /** The version of Node. */
  readonly node: string;
  /** The pid of a master beside this one, as after USR2. */
  readonly otherMaster: number | null;
  readonly lastExit: NonNullable<Snapshot['lastExit']> | null;
}

export interface Served {
  readonly app: string;
  readonly addresses: readonly string[];
  readonly settings: Pick<Settings, 'workerClass' | 'procName'>;
  readonly otherMaster: number | undefined;
}

export function statusOf(snapshot: Snapshot, { app, addresses, settings, otherMaster }: Served): Status {
  return {
    ...snapshot,
    app,
    addresses,
    workerClass: settings.workerClass,
    procName: settings.procName,
    node: process.version,
    otherMaster: otherMaster ?? null,
    // JSON leaves out a key whose value is undefined.
    lastExit: snapshot.lastExit ?? null,
  };
}
