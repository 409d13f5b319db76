/** What `--help` prints: all options by section, or one of them at length. Makes text only; the caller prints it. */

import { type CommandOption, commandOptions } from '../command-options.ts';
import { kebabCase } from '../kebab-case.ts';
import { gunicornNameOf } from '../names/gunicorn.ts';
import { explainUnknown, settingCalled } from '../names/names.ts';
import { declarationOf, environmentName, type SettingName, sections, settingNames } from '../settings.ts';
import { environmentExample, fileExample, isSaid, optionExample } from './examples.ts';

const width = 80;
/** Where the explanations begin. */
const indent = 30;

const usage = `Usage: tsgun [options] APP [-- ARGUMENTS OF THE APP]

The application server for Node.js. APP is path[:export]: apps/fib.ts,
dist/server.js:app, or app.mjs:create() to call a factory.`;

const epilogue = `Settings also come from a config file (tsgun.config.ts, .js, .json and others)
and from TSGUN_* variables. The command line ranks highest, then the variables,
then the file. Times (S) are in seconds.

"tsgun --help NAME" explains one option: tsgun --help workers. For completion in
the shell: tsgun completion >> ~/.bashrc

Commands for an instance that runs, each with a --help of its own: tsgun status,
workers, requests, top, reload, stop, scale, stacks, profile, heap, log-level.

Signals: TERM stops gracefully, INT and QUIT stop quickly, HUP reloads without
losing a request, TTIN and TTOU start and stop one worker, USR1 reopens the log
files, USR2 starts a new master beside this one, WINCH retires all workers.

Exit codes: 0 stopped as asked, 1 bad configuration or address, 3 workers cannot
boot, 4 the app cannot be loaded.`;

/** @param emphasize marks a heading, where the terminal can */
export function renderHelp(emphasize: (heading: string) => string): string {
  const general = Object.entries(commandOptions).map(([name, option]) => line(name, option, undefined));
  const bySection = sections.map((section) => {
    const names = settingNames.filter((name) => declarationOf(name).section === section);
    return [emphasize(section), ...names.map((name) => line(kebabCase(name), declarationOf(name), defaultOf(name)))];
  });
  const blocks = [[emphasize('General'), ...general], ...bySection];
  return [usage, ...blocks.map((lines) => lines.join('\n')), epilogue].join('\n\n');
}

/** @returns for an unknown name: no page, and a hint at what may have been meant */
export function renderHelpOf(
  asked: string,
): { readonly page: string } | { readonly page: undefined; readonly hint: string | undefined } {
  const name = asked.replace(/^--?/, '');
  const command = Object.entries(commandOptions).find(([option, { alias }]) => option === name || alias === name);
  if (command !== undefined) return { page: commandPage(...command) };
  const setting = settingCalled(name);
  if (setting !== undefined) return { page: settingPage(setting) };
  return { page: undefined, hint: explainUnknown(name, 'option') };
}

type Line = Pick<CommandOption, 'alias' | 'metavar' | 'help'>;

function line(name: string, { alias, metavar = '', help }: Line, fallback: string | undefined): string {
  const left = `  ${alias === undefined ? '    ' : `-${alias}, `}--${name} ${metavar}`.trimEnd();
  const text = wrap(fallback === undefined ? help : `${help} [${fallback}]`, width - indent);
  const [first = '', ...rest] = left.length < indent - 1 ? text : ['', ...text];
  return [`${left.padEnd(indent)}${first}`.trimEnd(), ...rest.map((each) => ' '.repeat(indent) + each)].join('\n');
}

function defaultOf(name: SettingName): string | undefined {
  const { default: fallback } = declarationOf(name);
  return isSaid(fallback) ? String(fallback) : undefined;
}

function commandPage(name: string, { alias, metavar, help, more }: CommandOption): string {
  return page(title(name, alias, metavar), help, more, []);
}

function settingPage(name: SettingName): string {
  const { alias, metavar, help, more, example, default: fallback, repeatable } = declarationOf(name);
  const gunicorn = gunicornNameOf(name);
  return page(title(kebabCase(name), alias, metavar), help, more, [
    ['Default', isSaid(fallback) ? String(fallback) : 'not set'],
    ['Option', optionExample(name, example)],
    ['Config file', fileExample(name, example)],
    ['Environment', `${environmentName(name)}=${environmentExample(example)}`],
    ...(gunicorn === undefined ? [] : [['In gunicorn', gunicorn] as [string, string]]),
    ...(repeatable ? [['', 'The option may be given several times.'] as [string, string]] : []),
  ]);
}

function title(name: string, alias: string | undefined, metavar = ''): string {
  return `${alias === undefined ? '' : `-${alias}, `}--${name} ${metavar}`.trimEnd();
}

function page(heading: string, help: string, more: string | undefined, facts: readonly [string, string][]): string {
  const paragraphs = [help, ...(more === undefined ? [] : [more])].map((text) =>
    wrap(text, width - 4)
      .map((each) => `  ${each}`)
      .join('\n'),
  );
  const table = facts.map(([label, text]) => `  ${label.padEnd(13)}${text}`.trimEnd());
  return [heading, ...paragraphs, ...(table.length === 0 ? [] : [table.join('\n')])].join('\n\n');
}

/** Lines of whole words. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
