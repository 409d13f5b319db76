/** The field `Server-Timing` (W3C Server Timing), by which a browser shows where the time of a request went. */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { Exchange } from '../exchange.ts';

/** @returns a line: how long the request waited for a thread, if it needed one, how long the app took to begin its answer, and its CPU time until then */
export function timingLine({ startedAt, queueMs, cost }: Pick<Exchange, 'startedAt' | 'queueMs' | 'cost'>): string {
  const wholeMs = performance.now() - startedAt;
  const cpuMs = cost?.cpuMs;
  const queue = queueMs === undefined ? '' : `queue;dur=${shown(queueMs)}, `;
  const cpu = cpuMs === undefined ? '' : `, cpu;dur=${shown(cpuMs)}`;
  return `Server-Timing: ${queue}app;dur=${shown(wholeMs - (queueMs ?? 0))}${cpu}\r\n`;
}

/** `.001` and so on; nothing for a whole number. */
const thousandths = Array.from({ length: 1000 }, (_, number) =>
  number === 0
    ? ''
    : `.${String(number)
        .padStart(3, '0')
        .replace(/0{1,2}$/, '')}`,
);

/** To the microsecond. Of whole numbers: V8 takes many times as long to write a fraction. */
function shown(ms: number): string {
  const micros = Math.max(0, Math.round(ms * 1000));
  const whole = Math.floor(micros / 1000);
  return whole + thousandths[micros - whole * 1000]!;
}
