/** Measures the load while `--max-workers` allows more workers than `--workers`, and makes the worker count follow it. */

import { usableCpus } from '../../config/machine/cpus.ts';
import { freeMemory } from '../../config/machine/memory.ts';
import type { Settings } from '../../config/settings.ts';
import type { OwnLogger } from '../../logger.ts';
import type { CountersFile } from '../metrics/counters-file.ts';
import { noteNeeded } from '../notes.ts';
import { childrenOf, type Pool, readyOf } from '../pool.ts';
import { capacityOf, LoadMeter } from './load.ts';
import { type Bounds, type Load, Scale } from './scale.ts';

const pollMs = 250;
const pollsPerSample = 4;
/** What a worker does first, such as compiling its code, is not load. */
const warmUpMs = 1000;
/** This share of the free memory stays free. */
const spareShare = 0.1;

/** How many workers there should be, and what says so. */
export interface Scaling extends Load {
  readonly workers: number;
}

export interface AutoscalerParts {
  readonly pool: Pool;
  readonly counters: Pick<CountersFile, 'read'>;
  readonly settings: () => Settings;
  /** Called when another number of workers is needed. */
  readonly tell: (scaling: Scaling) => void;
}

export class Autoscaler {
  private readonly parts: AutoscalerParts;
  private readonly meter = new LoadMeter();
  private readonly scale = new Scale();
  private timer: NodeJS.Timeout | undefined = undefined;
  private polls = 0;

  constructor(parts: AutoscalerParts) {
    this.parts = parts;
  }

  /** Called at every turn of the loop. @returns whether the load decides */
  follow(): boolean {
    const { pool } = this.parts;
    const isOn = this.most > pool.least && pool.target > 0 && pool.stopping === undefined;
    if (!isOn) this.close();
    else this.timer ??= setInterval(() => this.poll(), pollMs).unref();
    return isOn;
  }

  /** From the loop: what `tell` was called with takes effect, unless there is nothing to scale any more. */
  take({ workers, busyWorkers, busyCpus, queueMs }: Scaling, log: OwnLogger): void {
    const { pool } = this.parts;
    if (pool.stopping !== undefined || pool.target === 0) return;
    const from = pool.target;
    noteNeeded(pool, workers);
    const rounded = (value: number) => Math.round(value * 100) / 100;
    const fields = {
      from,
      workers: pool.target,
      busyWorkers: rounded(busyWorkers),
      busyCpus: rounded(busyCpus),
      queueMs,
    };
    log.event('info', 'scaled', fields, 'worker count follows the load');
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.forget();
  }

  private get most(): number {
    return this.parts.settings().maxWorkers;
  }

  private poll(): void {
    const { pool, counters, settings, tell } = this.parts;
    const now = performance.now();
    // The load of a reload or a boot is not that of the service.
    if (isUnsettled(pool, now)) {
      this.polls = 0;
      return this.meter.forget();
    }
    const { own } = counters.read();
    const ready = readyOf(pool);
    this.meter.poll(ready, own, capacityOf(settings()), now);
    if (++this.polls % pollsPerSample !== 0) return;
    const load = this.meter.take(ready.length, own, now);
    const workers = this.scale.decide(load, pool.target, this.bounds());
    if (workers !== pool.target) tell({ ...load, workers });
  }

  private bounds(): Bounds {
    const { pool } = this.parts;
    const sizes = readyOf(pool).map(({ beat }) => beat.memoryBytes);
    const size = sizes.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, sizes.length);
    const roomForMore = size === 0 ? 0 : Math.floor((freeMemory() * (1 - spareShare)) / size);
    return { least: pool.least, most: this.most, cpus: usableCpus(), roomForMore };
  }

  private forget(): void {
    this.meter.forget();
    this.scale.forget();
    this.polls = 0;
  }
}

function isUnsettled(pool: Pool, now: number): boolean {
  if (pool.reloadFrom !== undefined || readyOf(pool).length < pool.target) return true;
  return childrenOf(pool).some(({ state, readyAt = now }) => state === 'booting' || now - readyAt < warmUpMs);
}
