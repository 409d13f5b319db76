/**
 * Sends a worker's requests to StatsD, under gunicorn's names. Counts are sent once a second. Of durations, a limited sample is
 * sent with its sampling rate. So a request costs two additions, whatever the load.
 */

// Not the global, which an app may replace.
import { setInterval } from 'node:timers';
import { type Observed, type Outcome, type RequestCounter, statusCode } from '../../http/observers.ts';
import type { Stat, Statsd } from '../../ipc/statsd.ts';

const sendMs = 1000;
/** Per second. */
const mostSamples = 50;
const firstUnused = 1000;

export class RequestStatsd implements RequestCounter {
  /** By status; those without an answer are under 0. */
  private readonly counts = new Float64Array(firstUnused);
  private readonly samples = new Float64Array(mostSamples);
  private seen = 0;
  /** Of the requests to come, the number of the one that is sampled next. */
  private next = 0;
  private weight = 1;

  count({ status, startedAt }: Observed, outcome: Outcome, endedAt: number): void {
    if (outcome === 'unheard') return;
    this.counts[statusCode(status) ?? 0]!++;
    if (outcome === 'upgraded' || this.seen++ < this.next) return;
    this.sample(endedAt - startedAt);
  }

  /**
   * Reservoir sampling: each request of the second has the same chance. How many are left out until the next one is drawn
   * ahead, so a request costs no random number (Li's algorithm L, ACM TOMS 20/4, 1994).
   */
  private sample(ms: number): void {
    const { seen, samples } = this;
    const isFilling = seen <= mostSamples;
    samples[isFilling ? seen - 1 : Math.floor(Math.random() * mostSamples)] = ms;
    this.next = seen;
    if (seen < mostSamples) return;
    this.weight *= Math.exp(Math.log(1 - Math.random()) / mostSamples);
    this.next += Math.floor(Math.log(1 - Math.random()) / Math.log1p(-this.weight));
  }

  start(statsd: Statsd, beforeExit: () => void): void {
    const tsgunSend = () => statsd.send(this.take());
    setInterval(tsgunSend, sendMs).unref();
    process.on('exit', () => {
      beforeExit();
      statsd.send(this.take());
    });
  }

  /** Returns what was counted since the last call. */
  take(): Stat[] {
    const { counts, seen, samples } = this;
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const statuses = Array.from(counts, (value, code) => ({ code, value })).filter(
      ({ code, value }) => code > 0 && value > 0,
    );
    const taken = Math.min(seen, mostSamples);
    const stats: Stat[] = [
      { name: 'gunicorn.requests', value: total, type: 'c' },
      ...statuses.map(({ code, value }): Stat => ({ name: `gunicorn.request.status.${code}`, value, type: 'c' })),
      ...Array.from(samples.subarray(0, taken), (ms): Stat => {
        return { name: 'gunicorn.request.duration', value: Number(ms.toFixed(3)), type: 'ms', rate: taken / seen };
      }),
    ];
    counts.fill(0);
    this.seen = 0;
    this.next = 0;
    this.weight = 1;
    return stats;
  }
}
