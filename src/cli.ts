#!/usr/bin/env node
/** The command: argv in, exit code out. */

import { parseCommandLine } from './config/command-line.ts';
import { loadConfiguration } from './config/load.ts';
import { report, TsgunError } from './errors.ts';
import { runMaster } from './master/master.ts';

async function main(argv: readonly string[]): Promise<number> {
  const asked = await parseCommandLine(argv);
  if ('help' in asked) return print(asked.help);
  if ('version' in asked) return print(asked.version);
  return runMaster(() => loadConfiguration(asked.run));
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TsgunError)) throw error;
  const { message, stack } = report(error);
  process.stderr.write(`tsgun: ${message}\n${stack === undefined ? '' : `${stack}\n`}`);
  process.exitCode = error.exitCode;
}
// Signal handlers and the cluster module would keep an idle process alive.
process.exit();
