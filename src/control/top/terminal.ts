/**
 * The terminal under `tsgun top`: another screen, without a cursor, keys as they are pressed; and as it was before, at the end.
 * Two processes see to that: one draws, and its parent keeps the terminal's mode. Whichever is killed, the other mends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Line } from './view.ts';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const styles = { inverse: '\u001b[7m', bold: '\u001b[1m' } as const;

/** Marks the process that draws. */
export const drawVariable = 'TSGUN_TOP_DRAWS';

/** All of a screen; what was there is overwritten, so that nothing flickers. */
export function paint(lines: readonly Line[]): string {
  const texts = lines.map(
    ({ text, style }) => `${style === undefined ? text : `${styles[style]}${text}\u001b[0m`}\u001b[K`,
  );
  return `\u001b[H${texts.join('\r\n')}\u001b[J`;
}

/** @returns the exit code of the process that draws */
export async function supervise(words: readonly string[]): Promise<number> {
  process.stdin.setRawMode(true);
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'top', ...words], {
    env: { ...process.env, [drawVariable]: '1' },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGINT'] as const)
    process.on(signal, () => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  // It could not do so itself.
  if (signal !== null) restore();
  process.stdin.setRawMode(false);
  return code ?? 1;
}

export function open(): void {
  writeSync(1, enter);
  process.once('disconnect', () => {
    restore();
    // Not an exit, at which Node would set the mode of a terminal that is the shell's again.
    process.kill(process.pid, 'SIGKILL');
  });
}

export function restore(): void {
  try {
    writeSync(1, leave);
  } catch {
    // It has gone.
  }
}
