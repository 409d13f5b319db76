/**
 * Parses argv. The options come from the settings table. yargs, which completes words for the shell, does not parse: to load
 * it takes 80 ms, a third of what the master needs to start.
 */

import { existsSync } from 'node:fs';
import { describe } from '../../errors.ts';

import { commandOptions, completionFlag } from '../command-options.ts';
import { kebabCase } from '../kebab-case.ts';
import type { CommandLine } from '../load.ts';
import { explainUnknown } from '../names/names.ts';
import { declarationOf, type Setting, settingNames } from '../settings.ts';

/** What the command line asks for. */
export type Asked =
  /** `name`: of one setting. */
  | { readonly type: 'help'; readonly name: string | undefined }
  | { readonly type: 'version' }
  /** The script for the shell, or what it asks for. */
  | { readonly type: 'completion'; readonly words: readonly string[] | undefined }
  /** Not even an app is named. */
  | { readonly type: 'nothing' }
  | {
      readonly type: 'run' | 'check' | 'print' | 'print-and-check';
      /** `app` is empty where none is named and none is needed. */
      readonly line: CommandLine;
    };

const commands = Object.entries(commandOptions);
/** Each option with its letter. */
const withValue = new Map([
  ...settingNames.map((name): [string, string] => [kebabCase(name), declarationOf(name).alias ?? '']),
  ...commands
    .filter(([, { metavar }]) => metavar !== undefined && !metavar.startsWith('['))
    .map(([name, { alias }]): [string, string] => [name, alias ?? '']),
]);
const withoutValue = new Map(
  commands.filter(([name]) => !withValue.has(name)).map(([name, { alias }]): [string, string] => [name, alias ?? '']),
);

export async function parseCommandLine(argv: readonly string[]): Promise<Asked> {
  const dashes = argv.indexOf('--');
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const afterDashes = dashes === -1 ? [] : argv.slice(dashes + 1);
  if (argv.length === 0) return { type: 'nothing' };
  if (argv[0] === completionFlag) return { type: 'completion', words: argv.slice(1) };
  // A file with that name is an app.
  if (argv.length === 1 && argv[0] === 'completion' && !existsSync('completion'))
    return { type: 'completion', words: undefined };

  const { words, values: given, flags, foreign, help, problems } = sort(own);
  if (help !== undefined) return { type: 'help', name: help === '' ? undefined : help };
  if (flags.has('version')) return { type: 'version' };
  const unknown = [...foreign].map(([option, value]) => unknownOption(option, value));

  const needed = words.length === 0 ? 1 : 0;
  const [app, ...rest] = [...words, ...afterDashes.slice(0, needed)];
  const isPrint = flags.has('print-config');
  const isCheck = flags.has('check-config');
  // An unknown option may have swallowed it.
  if (app === undefined && unknown.length === 0 && (isCheck || !isPrint))
    problems.push('no app given: write tsgun APP, such as tsgun apps/fib.ts (tsgun --help lists the options)');
  if (rest.length > 0) problems.push(severalApps([app!, ...rest]));

  const values: CommandLine['values'] = {};
  for (const name of settingNames) {
    const all = given.get(kebabCase(name));
    // Given twice, the later counts, as everywhere on a command line.
    if (all !== undefined) values[name] = declarationOf(name).repeatable ? all : all.at(-1);
  }
  const config = given.get('config')?.at(-1);
  const line: CommandLine = {
    app: app ?? '',
    appArguments: afterDashes.slice(needed),
    values,
    problems: [...unknown, ...problems],
    ...(config === undefined ? {} : { config }),
  };
  return { type: isPrint ? (isCheck ? 'print-and-check' : 'print') : isCheck ? 'check' : 'run', line };
}

interface Sorted {
  /** What is no option: the app. */
  readonly words: readonly string[];
  /** By option, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly flags: ReadonlySet<string>;
  /** Options that are not ours, with their dashes and their last value. */
  readonly foreign: ReadonlyMap<string, string | true>;
  /** Asked for: of which setting, or of all where it is empty. */
  readonly help: string | undefined;
  readonly problems: string[];
}

/**
 * Tells options, values and other words apart: what follows an option is its value, even with a dash in front
 * (`--error-logfile -`, `--node-options --max-old-space-size=512`), unless it is an option of ours itself.
 */
function sort(argv: readonly string[]): Sorted {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  const flags = new Set<string>();
  const foreign = new Map<string, string | true>();
  const problems: string[] = [];
  let help: string | undefined;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const next = argv[index + 1];
    const { name, attached } = read(word);
    if (name === 'help') {
      // The word is an app, not a setting: a user who adds --help to a command line wants the overview.
      help ??= attached ?? (next === undefined || next.startsWith('-') || isPath(next) ? '' : next);
    } else if (name === undefined) {
      const [, option, value] = /^(-+[^=-][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      // The next word may be its value, or the app: nobody knows.
      const isNext = value === undefined && next !== undefined && !/^-(?!\d)/.test(next);
      if (option === undefined) words.push(word);
      else foreign.set(option, value ?? (isNext ? next : true));
      if (option !== undefined && isNext) index++;
    } else if (withoutValue.has(name)) {
      if (attached === undefined || attached === 'true') flags.add(name);
    } else {
      const value =
        attached ?? bareValue(name) ?? (next === undefined || read(next).name !== undefined ? undefined : next);
      if (value !== undefined) values.set(name, [...(values.get(name) ?? []), value]);
      else {
        const metavar = settingOf(name)?.metavar ?? 'FILE';
        problems.push(`${word}: expected a value (${metavar}), got ${next === undefined ? 'none' : describe(next)}`);
      }
      if (value !== undefined && attached === undefined && bareValue(name) === undefined) index++;
    }
  }
  return { words, values, flags, foreign, help, problems };
}

function settingOf(option: string): Setting | undefined {
  const name = settingNames.find((each) => kebabCase(each) === option);
  return name === undefined ? undefined : declarationOf(name);
}

function bareValue(option: string): string | undefined {
  return settingOf(option)?.bare;
}

/** The option that a word is, if it is one of ours, and the value in the same word. */
function read(word: string): { name?: string; attached?: string } {
  const options = [...withValue, ...withoutValue];
  const [, long, value] = /^--([A-Za-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined && options.some(([name]) => name === long))
    return { name: long, ...(value === undefined ? {} : { attached: value }) };
  const negated = long?.startsWith('no-') ? long.slice(3) : undefined;
  if (negated !== undefined && bareValue(negated) !== undefined) return { name: negated, attached: 'false' };
  const [, letter, rest = ''] = /^-([A-Za-z])(.*)$/s.exec(word) ?? [];
  const name = options.find(([, alias]) => alias !== '' && alias === letter)?.[0];
  if (name === undefined) return {};
  if (rest === '') return { name };
  if (rest.startsWith('=')) return { name, attached: rest.slice(1) };
  // Only text that cannot be a word counts as a value, so that -port is reported as a typo; but -eNAME=value is a variable, and
  // -ksync is one of few words.
  const isValue = /^[^A-Za-z-]/.test(rest) || (name === 'env' && /^\w+=/.test(rest)) || isChecked(name, rest);
  return isValue && withValue.has(name) ? { name, attached: rest } : {};
}

/** Whether the option takes little else than this. */
function isChecked(name: string, value: string): boolean {
  if (!['bind', 'worker-class', 'workers'].includes(name)) return false;
  try {
    settingOf(name)!.parse(value);
    return true;
  } catch {
    return false;
  }
}

function isPath(word: string): boolean {
  return /[./:]/.test(word);
}

function unknownOption(option: string, value: string | true): string {
  const hint = explainUnknown(option.replace(/^-+/, ''), 'option', value) ?? 'tsgun --help lists the options';
  return `${option}: unknown option; ${hint}`;
}

/** PM2 and others begin with a verb. */
function severalApps([first, ...rest]: readonly string[]): string {
  if (/^(start|serve|run)$/.test(first!)) return `there is no command ${first}: write tsgun ${rest[0]}`;
  return `one app only, got ${[first, ...rest].join(' and ')}; the app's own arguments follow --`;
}
