/** Parses argv. The options come from the settings table; yargs does the rest. */

import { existsSync } from 'node:fs';
import yargs from 'yargs';
import { describe, report } from '../errors.ts';

import { commandOptions, completionFlag } from './command-options.ts';
import type { CommandLine } from './load.ts';
import { explainUnknown } from './names.ts';
import { declarationOf, kebabCase, type Setting, settingNames } from './settings.ts';

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
  // Take the raw words: yargs would turn texts of digits into numbers.
  const afterDashes = dashes === -1 ? [] : argv.slice(dashes + 1);
  if (argv.length === 0) return { type: 'nothing' };
  if (argv[0] === completionFlag) return { type: 'completion', words: argv.slice(1) };
  // A file with that name is an app.
  if (argv.length === 1 && argv[0] === 'completion' && !existsSync('completion'))
    return { type: 'completion', words: undefined };

  const { words, help, problems } = joinValues(own);
  if (help !== undefined) return { type: 'help', name: help === '' ? undefined : help };
  const parsed: Record<string, unknown> & { _: unknown[] } = { _: [], ...(await parse(words, problems)) };
  if (parsed.version === true) return { type: 'version' };
  const unknown = unknownOptions(parsed, own);

  const needed = parsed._.length === 0 ? 1 : 0;
  const [app, ...rest] = [...parsed._, ...afterDashes.slice(0, needed)].map(String);
  const isPrint = parsed['print-config'] === true;
  const isCheck = parsed['check-config'] === true;
  // An unknown option may have swallowed it.
  if (app === undefined && unknown.length === 0 && (isCheck || !isPrint))
    problems.push('no app given: write tsgun APP, such as tsgun apps/fib.ts (tsgun --help lists the options)');
  if (rest.length > 0) problems.push(severalApps([app!, ...rest]));

  const values: CommandLine['values'] = {};
  for (const name of settingNames) {
    const given = parsed[kebabCase(name)];
    if (given !== undefined) values[name] = declarationOf(name).repeatable ? given : last(given);
  }
  const config = last(parsed.config);
  const line: CommandLine = {
    app: app ?? '',
    appArguments: afterDashes.slice(needed),
    values,
    problems: [...unknown, ...problems],
    ...(config === undefined ? {} : { config: String(config) }),
  };
  return { type: isPrint ? (isCheck ? 'print-and-check' : 'print') : isCheck ? 'check' : 'run', line };
}

async function parse(words: readonly string[], problems: string[]): Promise<object> {
  try {
    return await build().parseAsync(words);
  } catch (error) {
    // yargs stumbles over names such as --constructor.
    problems.push(`the command line: it cannot be read: ${report(error).message}`);
    return {};
  }
}

/** Only what yargs needs to parse. The help is our own, because the types and brackets of yargs are noise to a reader. */
function build() {
  const parser = yargs([])
    .help(false)
    .version(false)
    .exitProcess(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'short-option-groups': false,
    })
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  for (const [name, alias] of withValue) parser.option(name, { string: true, ...(alias === '' ? {} : { alias }) });
  for (const [name, alias] of withoutValue) parser.option(name, { boolean: true, ...(alias === '' ? {} : { alias }) });
  return parser;
}

interface Joined {
  readonly words: string[];
  /** Asked for: of which setting, or of all where it is empty. */
  readonly help: string | undefined;
  readonly problems: string[];
}

/**
 * Joins each option with its value, `-w 4` and `-w4` to `-w=4`: what follows an option is its value, even with a dash in
 * front (`--error-logfile -`, `--node-options --max-old-space-size=512`), unless it is an option of ours itself.
 */
function joinValues(argv: readonly string[]): Joined {
  const words: string[] = [];
  const problems: string[] = [];
  let help: string | undefined;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const next = argv[index + 1];
    const { name, attached } = read(word);
    if (name === 'help') {
      // The word is an app, not a setting: a user who adds --help to a command line wants the overview.
      help ??= attached ?? (next === undefined || next.startsWith('-') || isPath(next) ? '' : next);
    } else if (name === undefined || !withValue.has(name))
      words.push(isInherited(word) ? `--${mask}${word.slice(2)}` : word);
    else if (attached !== undefined) words.push(`--${name}=${quoted(attached)}`);
    else if (bareValue(name) !== undefined) words.push(`--${name}=${bareValue(name)}`);
    else if (next === undefined || read(next).name !== undefined) {
      problems.push(
        `${word}: expected a value (${settingOf(name)?.metavar ?? 'FILE'}), got ${next === undefined ? 'none' : describe(next)}`,
      );
    } else {
      words.push(`--${name}=${quoted(next)}`);
      index++;
    }
  }
  return { words, help, problems };
}

/** yargs takes one pair of quotes off a value: those that the shell has left are the user's. */
function quoted(value: string): string {
  return /^(["']).*\1$/s.test(value) ? `'${value}'` : value;
}

function settingOf(option: string): Setting | undefined {
  const name = settingNames.find((each) => kebabCase(each) === option);
  return name === undefined ? undefined : declarationOf(name);
}

function bareValue(option: string): string | undefined {
  return settingOf(option)?.bare;
}

/** yargs would stumble over names that every object has. */
function isInherited(word: string): boolean {
  return word.startsWith('--') && Object.hasOwn(Object.prototype, word.slice(2).split('=', 1)[0]!);
}
const mask = 'no-such-';

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
  // Only text that cannot be a word counts as a value, so that -port is reported as a typo; but -eNAME=value is a variable.
  const isValue = /^[^A-Za-z-]/.test(rest) || (name === 'env' && /^\w+=/.test(rest));
  return isValue && withValue.has(name) ? { name, attached: rest } : {};
}

function isPath(word: string): boolean {
  return /[./:]/.test(word);
}

/** @param argv for the number of dashes */
function unknownOptions(parsed: object, argv: readonly string[]): string[] {
  const letters = [...withValue.values(), ...withoutValue.values()];
  return Object.keys(parsed)
    .filter(
      (key) => !['_', '$0'].includes(key) && !withValue.has(key) && !withoutValue.has(key) && !letters.includes(key),
    )
    .map((key) => {
      const name = key.replace(mask, '');
      const hint = explainUnknown(name, 'option', Reflect.get(parsed, key)) ?? 'tsgun --help lists the options';
      const isLong = argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
      return `${isLong ? '--' : '-'}${name}: unknown option; ${hint}`;
    });
}

/** PM2 and others begin with a verb. */
function severalApps([first, ...rest]: readonly string[]): string {
  if (/^(start|serve|run)$/.test(first!)) return `there is no command ${first}: write tsgun ${rest[0]}`;
  return `one app only, got ${[first, ...rest].join(' and ')}; the app's own arguments follow --`;
}

/** Given twice, the later counts, as everywhere on a command line. */
function last(given: unknown): unknown {
  return Array.isArray(given) ? given.at(-1) : given;
}
