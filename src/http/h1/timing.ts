/** The field `Server-Timing` (W3C Server Timing), by which a browser shows where the time of a request went. */

import type { Exchange } from '../exchange.ts';

/** @returns a line: how long the app took to begin its answer, and the request to get a thread, if it needed one */
export function timingLine({ startedAt, queueMs }: Pick<Exchange, 'startedAt' | 'queueMs'>): string {
  const wholeMs = performance.now() - startedAt;
  const app = `app;dur=${shown(wholeMs - (queueMs ?? 0))}`;
  return `Server-Timing: ${queueMs === undefined ? app : `queue;dur=${shown(queueMs)}, ${app}`}\r\n`;
}

function shown(ms: number): string {
  return String(Math.max(0, Math.round(ms * 1000) / 1000));
}
