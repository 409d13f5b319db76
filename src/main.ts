/** argv in, exit code out. */

import { takeActivation } from './config/activation.ts';
import { parseCommandLine } from './config/command-line.ts';
import { startDirectory } from './config/directory.ts';
import { loadConfiguration } from './config/load.ts';
import { ExitCode, report, TsgunError } from './errors.ts';
import type { MasterEvent } from './master/events.ts';
import type { Inbox } from './master/inbox.ts';
import { runMaster } from './master/master.ts';

export async function main(argv: readonly string[], inbox: Inbox<MasterEvent>): Promise<number> {
  try {
    const home = startDirectory();
    const asked = await parseCommandLine(argv);
    if ('help' in asked) return print(asked.help);
    if ('version' in asked) return print(asked.version);
    const line = { ...asked.run, activation: takeActivation() };
    return await runMaster({ load: () => loadConfiguration(line, process.env, home), inbox, home });
  } catch (error) {
    const { message, stack } = report(error);
    process.stderr.write(`tsgun: ${message}\n${stack === undefined ? '' : `${stack}\n`}`);
    // Not thrown on: the running master catches what nobody else does, and would live on without its loop, deaf to signals.
    return error instanceof TsgunError ? error.exitCode : ExitCode.config;
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
