/** argv in, what it says out. The options are the settings table's; yargs does the rest. */

import yargs, { type Options } from 'yargs';
import { ConfigError } from '../errors.ts';
import type { CommandLine } from './load.ts';
import { declarationOf, kebabCase, type Setting, type SettingName, sections, settingNames, table } from './settings.ts';
import { nearest } from './suggest.ts';
import { version } from './version.ts';

const usage = `tsgun [options] APP

The application server for Node.js. APP is path[:export], such as apps/fib.ts,
dist/server.js:app, or app.mjs:create() to call a factory.`;

const epilogue = `Signals: TERM graceful stop, INT and QUIT quick stop, HUP rolling reload,
TTIN and TTOU one worker more or fewer, USR1 reopen log files, USR2 a new
master on the same sockets, WINCH retire all workers.`;

/** Reads the command line. `help` and `version` hold a text to print instead of starting. */
export async function parseCommandLine(
  argv: readonly string[],
): Promise<{ run: CommandLine } | { help: string } | { version: string }> {
  const parser = build();
  const dashes = argv.indexOf('--');
  // Not what yargs makes of them: it would take numbers for numbers.
  const afterDashes = dashes === -1 ? [] : argv.slice(dashes + 1);
  const parsed = await parser
    .parseAsync(splitAttached(dashes === -1 ? argv : argv.slice(0, dashes)))
    .catch((error: Error) => {
      // yargs stumbles over names such as --constructor.
      throw error instanceof ConfigError ? error : new ConfigError(`cannot read the options: ${error.message}`);
    });
  if (parsed.help === true) return { help: await parser.getHelp() };
  if (parsed.version === true) return { version: version() };
  refuseUnknown(Object.keys(parsed));

  const [app, ...rest] = [...parsed._, ...afterDashes.slice(0, parsed._.length === 0 ? 1 : 0)].map(String);
  const appArguments = afterDashes.slice(parsed._.length === 0 ? 1 : 0);
  if (app === undefined) throw new ConfigError('no app given: tsgun APP, such as tsgun apps/fib.ts (or tsgun --help)');
  if (rest.length > 0)
    throw new ConfigError(`one app only, got ${[app, ...rest].join(' and ')}; the app's own arguments follow --`);

  const values: CommandLine['values'] = {};
  for (const name of settingNames) {
    const given = parsed[kebabCase(name)];
    if (given !== undefined) values[name] = isRepeatable(name) ? given : last(given);
  }
  const config = last(parsed.config);
  return { run: { app, appArguments, values, ...(config === undefined ? {} : { config: String(config) }) } };
}

function build() {
  const parser = yargs([])
    .usage(usage)
    .epilogue(epilogue)
    .help(false)
    .version(false)
    .exitProcess(false)
    .wrap(100)
    .updateStrings({ 'Options:': 'General' })
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'short-option-groups': false,
    })
    .option('config', {
      alias: 'c',
      string: true,
      requiresArg: true,
      group: 'General',
      describe: 'FILE  A config file (JSON, or a module exporting the settings).',
      defaultDescription: 'tsgun.config.{ts,js,mjs,json} if there',
    })
    .option('help', { alias: 'h', boolean: true, group: 'General', describe: 'This help.' })
    .option('version', { alias: 'v', boolean: true, group: 'General', describe: 'The version.' })
    .fail((message, error) => {
      throw new ConfigError(`${message ?? error.message} (see tsgun --help)`);
    });
  const names = sections.flatMap((section) => settingNames.filter((name) => table[name].section === section));
  for (const name of names) parser.option(kebabCase(name), optionFor(table[name]));
  return parser;
}

function optionFor(setting: Setting): Options {
  return {
    string: true,
    nargs: 1,
    requiresArg: true,
    group: setting.section,
    describe: `${setting.metavar}  ${setting.help}`,
    ...(setting.alias === undefined ? {} : { alias: setting.alias }),
    ...(isSaid(setting.default) ? { defaultDescription: String(setting.default) } : {}),
  };
}

/** Whether there is something to show for a default. */
function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

/**
 * `-w4` → `-w 4`. yargs would take it for a bundle of letters. Only what cannot be a word is taken for a value, so that
 * `-port 80` is refused as the typo that it is; but a variable is one, as in `-eNAME=value`.
 */
function splitAttached(argv: readonly string[]): string[] {
  const letters = ['c', ...settingNames.map((name) => declarationOf(name).alias)];
  return argv.flatMap((word) => {
    const [, letter, value] = /^-(?=e\w+=|[A-Za-z][^A-Za-z=-])([A-Za-z])(.+)$/s.exec(word) ?? [];
    return value !== undefined && letters.includes(letter) ? [`-${letter}`, value] : [word];
  });
}

function refuseUnknown(given: readonly string[]): void {
  const known = [...settingNames.map(kebabCase), 'config', 'help', 'version'];
  const letters = settingNames.map((name) => declarationOf(name).alias);
  for (const key of given) {
    if (known.includes(key) || letters.includes(key) || ['c', 'h', 'v', '_', '$0'].includes(key)) continue;
    const guess = nearest(key, known);
    const remedy = guess === undefined ? 'tsgun --help lists the options' : `did you mean --${guess}?`;
    throw new ConfigError(`${key.length === 1 ? '-' : '--'}${key}: unknown option; ${remedy}`);
  }
}

function isRepeatable(name: SettingName): boolean {
  return declarationOf(name).repeatable === true;
}

/** Given twice, the later counts, as everywhere on a command line. */
function last(given: unknown): unknown {
  return Array.isArray(given) ? given.at(-1) : given;
}
