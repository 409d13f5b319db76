/** What the master shows of itself, at any time: to its commands, the admin listener, hooks and the service manager. */

import type { AdminState } from './admin/answers.ts';
import type { Children } from './children/children.ts';
import { runningRequests, type WorkerRequests } from './children/running.ts';
import type { Generation } from './generations/generation.ts';
import type { CountersFile } from './metrics/counters-file.ts';
import type { Family } from './metrics/exposition.ts';
import { measure } from './metrics/measure.ts';
import { childrenOf, type Pool } from './pool.ts';
import { type MasterIdentity, type Snapshot, snapshot } from './snapshot.ts';
import { type Status, statusOf } from './status.ts';

interface Parts {
  readonly pool: Pool;
  readonly children: Children;
  readonly counters: CountersFile;
  readonly identity: MasterIdentity;
  /** The configuration in force. */
  readonly current: () => Generation;
  /** The pid of a master beside this one. */
  readonly other: () => number | undefined;
}

export class Overview implements AdminState {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  get snapshot(): Snapshot {
    return snapshot(this.parts.pool, this.parts.identity, performance.now());
  }

  /** Answers even while every worker is blocked. */
  status(): Status {
    const { configuration, listeners } = this.parts.current();
    const { app, settings } = configuration;
    const addresses = listeners.map(({ address }) => address);
    return statusOf(this.snapshot, { app, addresses, settings, otherMaster: this.parts.other() });
  }

  /** Resolves within 200 ms, also while every worker is blocked. */
  requests(): Promise<WorkerRequests[]> {
    return runningRequests(childrenOf(this.parts.pool), this.parts.children, performance.now());
  }

  metrics(): Promise<Family[]> {
    const { configuration, listeners, certificates } = this.parts.current();
    return measure({
      counters: this.parts.counters,
      listeners,
      workerClass: configuration.settings.workerClass,
      hasOther: this.parts.other() !== undefined,
      certificates: certificates?.expiries ?? new Map<string, number>(),
      snapshot: () => this.snapshot,
      requests: () => this.requests(),
    });
  }
}
