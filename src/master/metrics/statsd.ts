/** What the master sends to StatsD, by gunicorn's names: how many workers there are, and requests that hung workers cannot count. */

import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../config/settings.ts';
import { statsdOptions } from '../../config/values/statsd.ts';
import { type Stat, Statsd, type StatsdOptions } from '../../ipc/statsd.ts';

const sendMs = 1000;
/** At most this many durations are sent for one worker that is gone. */
const mostSamples = 50;

export class MasterStatsd {
  private options: StatsdOptions | undefined = undefined;
  private statsd: Statsd | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private workers = 0;

  /** Called at every turn of the loop. */
  follow(settings: Settings, workers: number): void {
    this.workers = workers;
    const options = statsdOptions(settings);
    if (isDeepStrictEqual(options, this.options)) return;
    this.close();
    this.options = options;
    if (options === undefined) return;
    this.statsd = new Statsd(options);
    this.timer = setInterval(() => this.send(), sendMs).unref();
  }

  /** Requests that were answered 503 in the place of a worker that is gone. */
  noteUnavailable(durationsMs: readonly number[]): void {
    const { length } = durationsMs;
    if (length === 0) return;
    const taken = durationsMs.slice(0, mostSamples);
    this.statsd?.send([
      { name: 'gunicorn.requests', value: length, type: 'c' },
      { name: 'gunicorn.request.status.503', value: length, type: 'c' },
      ...taken.map(
        (value): Stat => ({ name: 'gunicorn.request.duration', value, type: 'ms', rate: taken.length / length }),
      ),
    ]);
  }

  close(): void {
    clearInterval(this.timer);
    this.statsd?.close();
  }

  private send(): void {
    this.statsd?.send([{ name: 'gunicorn.workers', value: this.workers, type: 'g' }]);
  }
}
