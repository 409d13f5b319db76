/** argv in, exit code out. */

import { renderComplaint } from './complaint.ts';
import { startDirectory } from './config/directory.ts';
import { accept, type CommandLine, type Configuration, type Draft, draftConfiguration } from './config/load.ts';
import { renderHelp, renderHelpOf } from './config/pages/help.ts';
import { renderSettings } from './config/pages/print.ts';
import { renderUsage } from './config/pages/usage.ts';
import type { Settings } from './config/settings.ts';
import { activationWarnings, takeActivation } from './config/sources/activation.ts';
import { type Asked, parseCommandLine } from './config/sources/command-line.ts';
import { version } from './config/version.ts';
import { ConfigError, ExitCode, report, TsgunError } from './errors.ts';
import { outputSink, takeOverOutput } from './log/output.ts';
import { createLogger } from './logger.ts';
import { checkApp } from './master/check.ts';
import { isStop, type MasterEvent } from './master/events.ts';
import { withinReason } from './master/generations/generation.ts';
import { systemProblems } from './master/generations/system-checks.ts';
import type { Inbox } from './master/inbox.ts';
import { runMaster } from './master/start.ts';

export async function main(argv: readonly string[], inbox: Inbox<MasterEvent>): Promise<number> {
  takeOverOutput();
  const command = new Command(inbox);
  try {
    return await command.obey(await parseCommandLine(argv));
  } catch (error) {
    command.complain(error);
    // Do not rethrow: the running master catches uncaught errors, and would live on without its loop, deaf to signals.
    return error instanceof TsgunError ? error.exitCode : ExitCode.config;
  }
}

class Command {
  private readonly inbox: Inbox<MasterEvent>;
  /** As far as it is known. */
  private logFormat: Settings['logFormat'] = 'auto';

  constructor(inbox: Inbox<MasterEvent>) {
    this.inbox = inbox;
  }

  async obey(asked: Asked): Promise<number> {
    const home = startDirectory();
    if (asked.type === 'nothing') return explain(`tsgun: no app given\n\n${renderUsage(home)}`);
    if (asked.type === 'version') return print(version());
    if (asked.type === 'help') return help(asked.name);
    if (asked.type === 'completion') return completion(asked.words);
    if (asked.type === 'run') {
      const line = { ...asked.line, warnings: activationWarnings(), activation: takeActivation() };
      return runMaster({ load: () => this.accepted(this.draft(line, home)), inbox: this.inbox, home });
    }
    const draft = await Promise.race([withinReason(this.draft(asked.line, home)), this.stopped()]);
    if (asked.type !== 'check') print(renderSettings(draft.configuration));
    for (const warning of draft.configuration.warnings) warn(warning);
    const configuration = await this.accepted(draft);
    if (asked.type === 'print') return ExitCode.ok;
    const { appInterface, doubt } = await checkApp(configuration, this.inbox.find(isStop), warn);
    if (doubt !== undefined) warn(doubt);
    return print(`The configuration and the app are fine: ${configuration.app} (${appInterface})`);
  }

  /** A config file is code, which may wait for ever: a signal ends that. */
  private async stopped(): Promise<never> {
    await this.inbox.find(isStop);
    throw new ConfigError('stopped by a signal before the configuration was read');
  }

  /** Reports an error before there is a log: as text, unless JSON is asked for. */
  complain(error: unknown): void {
    const { message, exitCode, stack } = report(error);
    if (this.logFormat !== 'json') return void process.stderr.write(renderComplaint(report(error)));
    const log = createLogger({ errorLogfile: '-', logFormat: 'json', logLevel: 'fatal' });
    const problems = error instanceof ConfigError ? error.problems : [message];
    for (const problem of problems) log.say('fatal', { error: problem, exitCode, stack }, problem);
  }

  /** @throws ConfigError that names every problem, those that the system sees too */
  private async accepted(draft: Draft | Promise<Draft>): Promise<Configuration> {
    const found = await draft;
    if (found.problems.length === 0) return found.configuration;
    const problems = [...found.problems, ...(await systemProblems(found.configuration))];
    return accept({ ...found, problems });
  }

  private async draft(line: CommandLine, home: string): Promise<Draft> {
    const draft = await draftConfiguration(line, process.env, home);
    this.logFormat = draft.configuration.settings.logFormat;
    return draft;
  }
}

/** Prints how to start, if the command line names nothing to do. */
function explain(text: string): number {
  process.stderr.write(`${text}\n`);
  return ExitCode.config;
}

function warn(warning: string): void {
  process.stderr.write(`tsgun: warning: ${warning}\n`);
}

async function completion(words: readonly string[] | undefined): Promise<number> {
  const { complete, printCompletionScript } = await import('./config/pages/completion.ts');
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

/** How long `print` waits for a slow reader, such as a pager. */
const patienceMs = 60_000;

function print(text: string): number {
  const stdout = outputSink('stdout');
  stdout.write(`${text}\n`);
  return stdout.flush(patienceMs) ? ExitCode.ok : ExitCode.config;
}
