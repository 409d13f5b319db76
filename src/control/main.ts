/** The commands for a running instance, on this process's terminal: argv in, exit code out. */

import { writeSync } from 'node:fs';
import { report } from '../errors.ts';
import { runCommand } from './command.ts';
import { CommandExit } from './failures.ts';
import type { CommandName } from './names.ts';
import { widthOf } from './text.ts';

export async function control(name: CommandName, words: readonly string[]): Promise<number> {
  // A command has nothing to finish: a signal ends it at once, as if it had no listener.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) endBy(signal);
  let isBroken = false;
  const write = (fd: 1 | 2) => (content: string | Uint8Array) => {
    if (!isBroken) isBroken = !writeAll(fd, Buffer.from(content));
  };
  const [out, complain] = [write(1), write(2)];
  try {
    return await runCommand(name, words, {
      print: (text) => out(`${text}\n`),
      write: out,
      complain: (text) => complain(`${text}\n`),
      columns: widthOf(process.stdout),
    });
  } catch (error) {
    complain(`tsgun: ${report(error).stack ?? report(error).message}\n`);
    return CommandExit.failed;
  }
}

/** Removes the listeners that cli.ts has added for a master. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
}

/** @returns false where the reader has gone, as `head` does */
function writeAll(fd: number, content: Uint8Array): boolean {
  for (let at = 0; at < content.length; )
    try {
      at += writeSync(fd, content, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
      // A pipe that does not block, and is full: its reader is slow.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  return true;
}
