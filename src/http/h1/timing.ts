/** The field `Server-Timing` (W3C Server Timing), by which a browser shows where the time of a request went. */

import type { Exchange } from '../exchange.ts';

/** @returns a line: how long the request waited for a thread, if it needed one, how long the app took to begin its answer, and its CPU time until then */
export function timingLine({ startedAt, queueMs, cost }: Pick<Exchange, 'startedAt' | 'queueMs' | 'cost'>): string {
  const wholeMs = performance.now() - startedAt;
  const cpuMs = cost?.cpuMs;
  const queue = queueMs === undefined ? '' : `queue;dur=${shown(queueMs)}, `;
  const cpu = cpuMs === undefined ? '' : `, cpu;dur=${shown(cpuMs)}`;
  return `Server-Timing: ${queue}app;dur=${shown(wholeMs - (queueMs ?? 0))}${cpu}\r\n`;
}

function shown(ms: number): string {
  return String(Math.max(0, Math.round(ms * 1000) / 1000));
}
