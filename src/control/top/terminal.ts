/**
 * The terminal under `tsgun top`: another screen, without a cursor, keys as they are pressed; and as it was before, at the end.
 * Two processes see to that: one draws, and its parent keeps the terminal's mode. If one is killed, the other restores the terminal.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Line } from './view.ts';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const styles = { inverse: '\u001b[7m', bold: '\u001b[1m' } as const;

/** Marks the process that draws. Its value is the mode that the terminal had before, as `stty -g` prints it. */
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
  const { stdout: mode } = spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  process.stdin.setRawMode(true);
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'top', ...words], {
    env: { ...process.env, [drawVariable]: mode?.trim() || 'unknown' },
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
    restoreMode();
    // Not an exit, at which Node would set the mode of a terminal that is the shell's again.
    process.kill(process.pid, 'SIGKILL');
  });
}

/**
 * The shell comes first: most set the mode themselves, and a line editor has a mode of its own. All of these let the keyboard
 * send signals, which the mode of `top` does not. TTOU is ignored because the shell is in the foreground by now.
 */
const script = 'trap "" TTOU; sleep 0.2; case "$(stty -a)" in *-isig*) stty "$0" ;; esac';

function restoreMode(): void {
  const mode = process.env[drawVariable];
  if (mode === undefined || mode === 'unknown') return;
  spawnSync('sh', ['-c', script, mode], { stdio: ['inherit', 'ignore', 'ignore'] });
}

export function restore(): void {
  try {
    writeSync(1, leave);
  } catch {
    // It has gone.
  }
}
