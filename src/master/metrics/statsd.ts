/** What the master sends to StatsD, by gunicorn's name: how many workers there are. */

import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../config/settings.ts';
import { statsdOptions } from '../../config/statsd.ts';
import { Statsd, type StatsdOptions } from '../../ipc/statsd.ts';

const sendMs = 1000;

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

  close(): void {
    clearInterval(this.timer);
    this.statsd?.close();
  }

  private send(): void {
    this.statsd?.send([{ name: 'gunicorn.workers', value: this.workers, type: 'g' }]);
  }
}
