/** Completion in the shell, by yargs: `tsgun completion` prints the script for it. */

import yargs, { type Argv } from 'yargs';
import { commandOptions } from '../command-options.ts';
import { kebabCase } from '../kebab-case.ts';
import { declarationOf, settingNames } from '../settings.ts';
import type { JsonSchema } from '../values/parser.ts';

/** Prints the script for the user's shell (`$SHELL`): bash, zsh or fish. */
export function printCompletionScript(): void {
  build().showCompletionScript();
}

/**
 * @param words of the command line, with the command's own name; the last is the one to complete
 * @returns nothing if a file is expected: then the shell completes file names
 */
export async function complete(words: readonly string[]): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const before = longName(words.at(-2) ?? '');
  if (before === '--help') return names().filter((name) => name.startsWith(current));
  const isValue = choices().has(before.replace(/^--/, ''));
  if (!isValue && !current.startsWith('-')) return [];
  return build().getCompletion([...words.slice(1, -2), ...(words.length > 2 ? [before] : []), current]);
}

/** `-k` → `--worker-class` */
function longName(word: string): string {
  const name = settingNames.find((each) => word === `-${declarationOf(each).alias}`);
  return name === undefined ? word : `--${kebabCase(name)}`;
}

function names(): string[] {
  return [...settingNames.map(kebabCase), ...Object.keys(commandOptions)];
}

function build(): Argv {
  const parser = yargs([]).scriptName('tsgun').help(false).version(false).exitProcess(false);
  for (const name of settingNames) {
    const words = choices().get(kebabCase(name));
    const { help } = declarationOf(name);
    parser.option(kebabCase(name), {
      string: true,
      describe: help,
      ...(words === undefined ? {} : { choices: words }),
    });
  }
  for (const [name, { help, metavar }] of Object.entries(commandOptions))
    parser.option(name, { describe: help, ...(metavar === undefined ? { boolean: true } : { string: true }) });
  return parser;
}

/** The options that take one of a few words. */
function choices(): Map<string, string[]> {
  const all = settingNames.map((name) => [kebabCase(name), wordsOf(declarationOf(name).parse.schema)] as const);
  return new Map(all.filter(([, words]) => words.length > 0).map(([name, words]) => [name, words]));
}

function wordsOf({ enum: words = [], anyOf = [] }: JsonSchema): string[] {
  return [...words, ...anyOf.flatMap(wordsOf)].filter((word) => typeof word === 'string') as string[];
}
