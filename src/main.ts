/** argv in, exit code out. */

import { takeActivation } from './config/activation.ts';
import { type Asked, parseCommandLine } from './config/command-line.ts';
import { startDirectory } from './config/directory.ts';
import { renderHelp, renderHelpOf } from './config/help.ts';
import { type Draft, draftConfiguration, loadConfiguration } from './config/load.ts';
import { renderSettings } from './config/print.ts';
import { renderUsage } from './config/usage.ts';
import { version } from './config/version.ts';
import { ConfigError, ExitCode, report, TsgunError } from './errors.ts';
import { outputSink, takeOverOutput } from './log/output.ts';
import { checkApp } from './master/check.ts';
import { isStop, type MasterEvent } from './master/events.ts';
import type { Inbox } from './master/inbox.ts';
import { runMaster } from './master/master.ts';

export async function main(argv: readonly string[], inbox: Inbox<MasterEvent>): Promise<number> {
  takeOverOutput();
  try {
    return await obey(await parseCommandLine(argv), inbox);
  } catch (error) {
    complain(error);
    // Not thrown on: the running master catches what nobody else does, and would live on without its loop, deaf to signals.
    return error instanceof TsgunError ? error.exitCode : ExitCode.config;
  }
}

async function obey(asked: Asked, inbox: Inbox<MasterEvent>): Promise<number> {
  const home = startDirectory();
  if (asked.type === 'nothing') throw new ConfigError(`no app given\n\n${renderUsage(home)}`);
  if (asked.type === 'version') return print(version());
  if (asked.type === 'help') return help(asked.name);
  if (asked.type === 'completion') return completion(asked.words);
  if (asked.type === 'run') {
    const line = { ...asked.line, activation: takeActivation() };
    return runMaster({ load: () => loadConfiguration(line, process.env, home), inbox, home });
  }
  const draft = await draftConfiguration(asked.line, process.env, home);
  if (asked.type !== 'check') print(renderSettings(draft.configuration));
  refuse(draft);
  if (asked.type === 'print') return ExitCode.ok;
  const { app } = draft.configuration;
  const appInterface = await checkApp(draft.configuration, inbox.find(isStop));
  return print(`The configuration and the app are fine: ${app} (${appInterface})`);
}

async function completion(words: readonly string[] | undefined): Promise<number> {
  const { complete, printCompletionScript } = await import('./config/completion.ts');
  if (words !== undefined) return print((await complete(words)).join('\n'));
  printCompletionScript();
  return ExitCode.ok;
}

function help(name: string | undefined): number {
  if (name === undefined) return print(renderHelp(process.stdout.hasColors?.() ? bold : String));
  const { page, hint } = { hint: undefined, ...renderHelpOf(name) };
  if (page !== undefined) return print(page);
  throw new ConfigError(`--help: expected the name of an option, got ${name}; ${hint ?? 'tsgun --help lists them'}`);
}

function bold(text: string): string {
  return `\u001b[1m${text}\u001b[22m`;
}

function refuse({ configuration: { warnings }, problems, cause }: Draft): void {
  for (const warning of warnings) process.stderr.write(`tsgun: warning: ${warning}\n`);
  if (problems.length > 0) throw new ConfigError(problems, cause === undefined ? {} : { cause });
}

/** One line for each problem; below them where the user's code threw, if it did. */
function complain(error: unknown): void {
  const { message, stack } = report(error);
  const problems = error instanceof ConfigError ? error.problems : [message];
  for (const problem of problems) process.stderr.write(`tsgun: ${problem}\n`);
  const frames = error instanceof TsgunError ? (stack ?? '').split('\n').filter(isOfUser) : [stack];
  if (frames.length > 0) process.stderr.write(`${frames.join('\n')}\n`);
}

/** As it is built, this file lies in a folder of dist. */
const ownFolder = new URL('../', import.meta.url).href;

/** A line of a stack that is neither tsgun's, nor of what loads TypeScript, nor of Node. */
function isOfUser(line: string): boolean {
  return /^\s+at /.test(line) && !line.includes(ownFolder) && !/node_modules\/jiti\/|\bnode:/.test(line);
}

/** A pager may take its time. */
const patienceMs = 60_000;

function print(text: string): number {
  const stdout = outputSink('stdout');
  stdout.write(`${text}\n`);
  return stdout.flush(patienceMs) ? ExitCode.ok : ExitCode.config;
}
