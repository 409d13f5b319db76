/** The field `Server-Timing` (W3C Server Timing), by which a browser shows where the time of a request went. */

// Not the global, which an app may replace.
import { performance } from 'node:perf_hooks';
import type { Exchange } from '../exchange.ts';

/** Texts of up to a millisecond are made once: those of longer times cost little beside the time that they tell of. */
const microsKept = 1000;

/** @returns a line: how long the request waited for a thread, if it needed one, how long the app took to begin its answer, and its CPU time until then */
export function timingLine({ startedAt, queueMs, cost }: Pick<Exchange, 'startedAt' | 'queueMs' | 'cost'>): string {
  const now = performance.now();
  const cpuMs = cost?.cpuMsAt === undefined ? cost?.cpuMs : cost.cpuMsAt(now);
  const app =
    queueMs === undefined
      ? appText(microsOf(now - startedAt))
      : `Server-Timing: queue;dur=${shown(microsOf(queueMs))}, app;dur=${shown(microsOf(now - startedAt - queueMs))}`;
  return cpuMs === undefined ? `${app}\r\n` : app + cpuText(microsOf(cpuMs));
}

const appText = keeping((micros) => `Server-Timing: app;dur=${shown(micros)}`);
/** With the end of the line. */
const cpuText = keeping((micros) => `, cpu;dur=${shown(micros)}\r\n`);

function keeping(make: (micros: number) => string): (micros: number) => string {
  const kept: (string | undefined)[] = new Array(microsKept).fill(undefined);
  return (micros) => {
    if (micros >= microsKept) return make(micros);
    const text = kept[micros];
    if (text !== undefined) return text;
    // Of one piece: V8 keeps a joined text as its parts, and would walk through them with each answer.
    const flat = Buffer.from(make(micros), 'latin1').toString('latin1');
    kept[micros] = flat;
    return flat;
  };
}

function microsOf(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}

/** `.001` and so on; nothing for a whole number. */
const thousandths = Array.from({ length: 1000 }, (_, number) =>
  number === 0
    ? ''
    : `.${String(number)
        .padStart(3, '0')
        .replace(/0{1,2}$/, '')}`,
);

/** In milliseconds. Of whole numbers: V8 takes many times as long to write a fraction. */
function shown(micros: number): string {
  const whole = Math.floor(micros / 1000);
  return whole + thousandths[micros - whole * 1000]!;
}
