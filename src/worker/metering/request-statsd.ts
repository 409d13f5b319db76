/**
 * Sends a worker's requests to StatsD, under gunicorn's names. Counts are sent once a second. Of durations, a limited sample is
 * sent with its sampling rate. So a request costs two additions, whatever the load.
 */

// Not the global, which an app may replace.
import { setInterval } from 'node:timers';
import type { Observed, Outcome, RequestCounter } from '../../http/observers.ts';
import type { Stat, Statsd } from '../../ipc/statsd.ts';

const sendMs = 1000;
/** Per second. */
const mostSamples = 50;

export class RequestStatsd implements RequestCounter {
  private readonly counts = new Map<string, number>();
  private readonly samples = new Float64Array(mostSamples);
  private seen = 0;

  count({ status, startedAt }: Observed, outcome: Outcome, endedAt: number): void {
    if (outcome === 'unheard') return;
    const code = status.slice(0, 3);
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    if (outcome === 'upgraded') return;
    // Reservoir sampling: each request of the second has the same chance.
    const place = this.seen < mostSamples ? this.seen : Math.floor(Math.random() * (this.seen + 1));
    this.seen++;
    if (place < mostSamples) this.samples[place] = endedAt - startedAt;
  }

  start(statsd: Statsd, beforeExit: () => void): void {
    setInterval(() => statsd.send(this.take()), sendMs).unref();
    process.on('exit', () => {
      beforeExit();
      statsd.send(this.take());
    });
  }

  /** Returns what was counted since the last call. */
  take(): Stat[] {
    const { counts, seen, samples } = this;
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const statuses = [...counts].filter(([code]) => code !== '');
    const taken = Math.min(seen, mostSamples);
    const stats: Stat[] = [
      { name: 'gunicorn.requests', value: total, type: 'c' },
      ...statuses.map(([code, value]): Stat => ({ name: `gunicorn.request.status.${code}`, value, type: 'c' })),
      ...Array.from(samples.subarray(0, taken), (ms): Stat => {
        return { name: 'gunicorn.request.duration', value: Number(ms.toFixed(3)), type: 'ms', rate: taken / seen };
      }),
    ];
    counts.clear();
    this.seen = 0;
    return stats;
  }
}
