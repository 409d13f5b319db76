/** The error log for people: `12:00:01 INFO  [4711] worker ready  workers=4`. Takes the JSON lines of the log. */

import { styleText } from 'node:util';

type Line = Record<string, unknown> & { level: string; time: string; pid: number; msg?: string };

const colours = { warn: 'yellow', error: 'red', fatal: 'red', debug: 'gray', trace: 'gray' } as const;

/** @returns undefined for a line that a terminal does not show */
export function renderPretty(json: string, isColoured: boolean): string | undefined {
  const line = JSON.parse(json) as Line;
  if (isNoise(line)) return undefined;
  const text = renderLine(line);
  const colour = colours[line.level as keyof typeof colours];
  return isColoured && colour !== undefined ? styleText(colour, text, { validateStream: false }) : text;
}

/** The steps of a stop by Ctrl-C: on a terminal, one line at its end is enough. */
function isNoise(line: Line): boolean {
  const isExpected = line.event === 'worker_exited' && line.reason === 'shutdown' && line.level === 'info';
  return isExpected || (line.event === 'shutdown_started' && line.signal === 'SIGINT');
}

/** Pure: one line, and below it a stack, indented, when there is one. */
function renderLine({ level, time, pid, msg, event, stack, ...rest }: Line): string {
  const details = Object.entries(rest)
    .filter(([, value]) => value !== msg && value !== null)
    .map(
      ([key, value]) => `  ${key}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join('');
  const clock = new Date(time).toTimeString().slice(0, 8);
  const body = typeof stack === 'string' ? `\n${stack.replace(/^/gm, '    ')}` : '';
  return `${clock} ${level.toUpperCase().padEnd(5)} [${pid}] ${msg ?? event}${details}${body}\n`;
}
