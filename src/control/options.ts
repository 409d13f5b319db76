/** The commands for a running instance: their options, their help, and how a command line is read. */

import { parseArgs } from 'node:util';
import { nearest } from '../config/names/suggest.ts';
import { ConfigError, describe } from '../errors.ts';
import { maxSeconds } from '../ipc/control.ts';
import type { CommandName } from './names.ts';
import type { Target } from './target.ts';

interface Option {
  readonly metavar?: string;
  readonly help: string;
}

interface Command {
  readonly help: string;
  /** What follows the command. */
  readonly argument?: { readonly name: string; readonly isNeeded: boolean; readonly help: string };
  readonly options?: Readonly<Record<string, Option>>;
  /** Whether there is something to print as JSON. */
  readonly hasJson?: boolean;
}

const pid = { name: 'PID', isNeeded: false, help: 'of one worker; without it, all workers' };
const seconds = (fallback: number) => ({ metavar: 'N', help: `for N seconds, at most ${maxSeconds} [${fallback}]` });
const output = { metavar: 'FILE', help: 'where to write it; - is standard output' };

export const commands: Readonly<Record<CommandName, Command>> = {
  status: { help: 'The service and its workers.', hasJson: true },
  workers: { help: 'The workers, one per line.', hasJson: true },
  requests: {
    help: 'The requests that run now, of hung workers too, the oldest first.',
    options: { query: { help: 'with the query strings, which may hold secrets' } },
    hasJson: true,
  },
  top: { help: 'A live screen of the service, its workers and its requests.' },
  reload: {
    help: 'Read the configuration again and roll to new workers, as HUP does.',
    options: { wait: { help: 'wait until it has ended, and fail if it fails' } },
    hasJson: true,
  },
  stop: { help: 'Stop gracefully, as TERM does, and wait until the master has ended.', hasJson: true },
  scale: {
    help: 'Change the number of workers.',
    argument: { name: 'N', isNeeded: true, help: 'how many, from 1 to 1024' },
    hasJson: true,
  },
  stacks: { help: 'Where each worker’s threads are now, hung or not.', argument: pid, hasJson: true },
  profile: {
    help: 'A CPU profile of workers, hung ones too: for DevTools, VS Code, speedscope.',
    argument: pid,
    options: {
      seconds: seconds(5),
      format: { metavar: 'FORMAT', help: 'cpuprofile or pprof [cpuprofile]' },
      output,
    },
    hasJson: true,
  },
  heap: {
    help: 'What a worker allocates and keeps, by samples: for Chrome’s DevTools.',
    argument: { name: 'PID', isNeeded: true, help: 'of the worker' },
    options: {
      seconds: seconds(10),
      snapshot: { help: 'all of the heap: the worker ends for it' },
      output,
    },
    hasJson: true,
  },
  'log-level': {
    help: 'Change the least level that is logged, until the next reload.',
    argument: { name: 'LEVEL', isNeeded: true, help: 'trace, debug, info, warn, error or fatal' },
    hasJson: true,
  },
};

const common: Readonly<Record<string, Option>> = {
  'control-socket': { metavar: 'PATH', help: 'the instance with this control socket' },
  pid: { metavar: 'PID', help: 'the instance whose master has this process id' },
  pidfile: { metavar: 'FILE', help: 'the instance whose master wrote this file' },
};
const json: Option = { help: 'print one JSON document' };
const letters: Readonly<Record<string, string>> = { pidfile: 'p', help: 'h', output: 'o' };

export interface Given {
  readonly name: CommandName;
  readonly target: Target;
  readonly argument: string | undefined;
  readonly isJson: boolean;
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

function optionsOf(name: CommandName): Record<string, Option> {
  const { options = {}, hasJson } = commands[name];
  return { ...options, ...(hasJson ? { json } : {}), ...common, help: { help: 'this help' } };
}

/**
 * @returns undefined where help is asked for
 * @throws ConfigError
 */
export function readOptions(name: CommandName, words: readonly string[]): Given | undefined {
  const known = optionsOf(name);
  const options = Object.fromEntries(
    Object.entries(known).map(([option, { metavar }]) => {
      const short = letters[option];
      return [
        option,
        { type: metavar === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) } as const,
      ];
    }),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    const [problem = ''] = (error as Error).message.split(/\. |\.?\n/);
    const [, unknown] = /^Unknown option '--?([\w-]+)'/.exec(problem) ?? [];
    const guess = unknown === undefined ? undefined : nearest(unknown, Object.keys(known));
    const remedy = guess === undefined ? `tsgun ${name} --help lists the options` : `did you mean --${guess}?`;
    throw new ConfigError(`tsgun ${name}: ${problem}; ${remedy}`);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return undefined;
  const { argument } = commands[name];
  const [first, ...rest] = positionals;
  if (argument?.isNeeded && first === undefined)
    throw new ConfigError(`tsgun ${name}: expected ${argument.name} (${argument.help}), got none`);
  const extra = argument === undefined ? positionals : rest;
  if (extra.length > 0)
    throw new ConfigError(`tsgun ${name}: takes no ${describe(extra[0])}; tsgun ${name} --help lists the options`);
  const given = values as Record<string, string | boolean | undefined>;
  return {
    name,
    target: {
      controlSocket: text(given['control-socket']),
      pid: given.pid === undefined ? undefined : readPid('--pid', given.pid),
      pidfile: text(given.pidfile),
    },
    argument: first,
    isJson: given.json === true,
    options: given,
  };
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** @throws ConfigError */
export function readPid(name: string, value: unknown): number {
  if (typeof value === 'string' && /^[1-9]\d{0,9}$/.test(value)) return Number(value);
  throw new ConfigError(`${name}: expected a process id, got ${describe(value)}`);
}

/** @throws ConfigError */
export function readSeconds(value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0;
  if (number > 0 && number <= maxSeconds) return number;
  throw new ConfigError(`--seconds: expected a number above 0, up to ${maxSeconds}, got ${describe(value)}`);
}

export function renderHelpOf(name: CommandName): string {
  const { help, argument } = commands[name];
  const word = argument === undefined ? '' : argument.isNeeded ? ` ${argument.name}` : ` [${argument.name}]`;
  const lines = Object.entries(optionsOf(name)).map(([option, { metavar, help: text }]) => {
    const letter = letters[option];
    const left = `  ${letter === undefined ? '    ' : `-${letter}, `}--${option}${metavar === undefined ? '' : ` ${metavar}`}`;
    return `${left.padEnd(30)}${text}`;
  });
  const about = argument === undefined ? [] : [`  ${argument.name.padEnd(28)}${argument.help}`];
  const ending =
    'Without such an option it is the one that the configuration here names\n(controlSocket, pidfile), or the only one of this user.\nExit codes: 0 done, 1 refused or failed, 2 no instance found.';
  return [`Usage: tsgun ${name}${word} [options]`, help, [...about, ...lines].join('\n'), ending].join('\n\n');
}
