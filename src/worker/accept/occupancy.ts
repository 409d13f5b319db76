/** Knows how many connections a worker holds, how many it may hold, and which of them make room for others. */

// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import { connectionCapacity, descriptorLimit, openDescriptorCount } from '../../descriptors.ts';
import type { Waiting, WaitOrder } from '../../http/host.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import { Evictions } from './evictions.ts';

export interface OccupancyOptions {
  /** `--worker-connections` */
  readonly wanted: number;
  readonly servers: readonly { waiting?(): readonly Waiting[] }[];
  readonly order: WaitOrder;
  readonly shortages: Shortages;
  /** Called at intervals once the worker is half full: whether it can take another connection may have changed. */
  readonly onTime: () => void;
}

export class Occupancy {
  private readonly options: OccupancyOptions;
  private readonly evictions: Evictions;
  private connections = 0;
  private capacity: number;
  private isHeld = false;

  constructor(options: OccupancyOptions) {
    this.options = options;
    this.capacity = options.wanted;
    this.evictions = new Evictions(options);
  }

  /** To be called before the first connection, when everything that stays open is open. */
  measure(): void {
    this.capacity = connectionCapacity(this.options.wanted, descriptorLimit(), openDescriptorCount());
    this.evictions.setLimit(this.capacity);
  }

  get count(): number {
    return this.connections;
  }

  get isFull(): boolean {
    return this.connections - this.evictions.leavingCount >= this.capacity;
  }

  /** Whether the worker can take another connection. */
  get canTake(): boolean {
    return !this.isHeld && (!this.isFull || this.evictions.canEvict);
  }

  enter(): void {
    const wasFull = this.isFull;
    this.connections++;
    this.evictions.note(this.connections);
    if (wasFull) this.evictions.evict();
    else if (this.isFull) this.tell();
  }

  leave(): void {
    this.connections--;
    this.evictions.note(this.connections);
  }

  /** Takes none for a while, on purpose. */
  hold(ms: number): void {
    this.isHeld = true;
    const end = () => {
      this.isHeld = false;
      this.options.onTime();
    };
    setTimeout(end, ms).unref();
    this.options.onTime();
  }

  /** From now on each connection is taken, whatever the limit. */
  stop(): void {
    this.capacity = Number.POSITIVE_INFINITY;
    this.isHeld = false;
    this.evictions.stop();
  }

  private tell(): void {
    const { capacity: connections } = this;
    const { wanted, shortages } = this.options;
    shortages.tell({ of: 'connections', where: 'room', connections });
    if (connections < wanted) shortages.tell({ of: 'descriptors', where: 'room', connections });
  }
}
