/** `docs/settings.md`: every setting with its text, its forms and an example. */

import { type CommandOption, commandOptions } from '../command-options.ts';
import { kebabCase } from '../kebab-case.ts';
import { gunicornNameOf, gunicornSettings, sharedNames } from '../names/gunicorn.ts';
import { explainUnknown } from '../names/names.ts';
import { declarationOf, environmentName, type SettingName, sections, settingNames } from '../settings.ts';
import { environmentExample, fileExample, isSaid, optionExample } from './examples.ts';
import { wrap } from './help.ts';

const width = 120;

const intro = `# Settings

<!-- Generated from src/config/settings.ts by "npm run generate". -->

A setting can be given in four places. A later one in this list overrules an earlier one:

1. the variables of hosting platforms: \`$PORT\` makes the default address \`0.0.0.0:$PORT\`, \`$WEB_CONCURRENCY\` is the default
   number of workers;
2. a config file: the first of \`tsgun.config.ts\`, \`.js\`, \`.mjs\`, \`.mts\`, \`.cts\`, \`.cjs\` and \`.json\` in the directory that
   tsgun is started in, or the one that \`--config\` or \`TSGUN_CONFIG\` names;
3. \`TSGUN_*\` variables;
4. the command line.

Names are in camelCase in a config file, in kebab-case on the command line, and in capitals in the environment: \`workerClass\`,
\`--worker-class\`, \`TSGUN_WORKER_CLASS\`. Times are in seconds and sizes in bytes, unless the setting says otherwise. \`null\` in a
config file means "not set".

\`tsgun --print-config\` prints each setting, its value, and where that came from. \`tsgun APP --check-config\` reports every problem
of a configuration at once and loads the app. \`tsgun --help NAME\` explains one setting in the terminal.

## Config files

JSON may have comments and a comma after the last item. With \`$schema\`, editors complete names and check values:

\`\`\`json
{
  "$schema": "./node_modules/tsgun/config.schema.json",
  "workers": "auto",
  "bind": ["0.0.0.0:8000"]
}
\`\`\`

A module exports an object as its default export. It may also have hooks; \`defineConfig\` gives both their types. It
may have any name, if \`--config\` names it: \`tsgun app.ts -c shop.config.ts\`.

\`\`\`ts
// shop.config.ts
import { defineConfig } from 'tsgun';

export default defineConfig({
  workers: 'auto',
  bind: '0.0.0.0:8000',
  whenReady(server) {
    server.log.info('%d workers', server.workers);
  },
});
\`\`\`

[config.example.json](../config.example.json) holds every setting with its default. A reload (HUP) reads the config file anew.`;

export function renderSettingsPage(): string {
  const options = Object.entries(commandOptions).map(([name, option]) => commandEntry(name, option));
  const blocks = sections.flatMap((section) => {
    const names = settingNames.filter((name) => declarationOf(name).section === section);
    return [`## ${section}`, ...names.map(settingEntry)];
  });
  return `${[intro, '## Options of the command', ...options, ...blocks, gunicornTable()].join('\n\n')}\n`;
}

function commandEntry(name: string, { alias, metavar = '', help, more }: CommandOption): string {
  const forms = [...(alias === undefined ? [] : [`-${alias}`]), `--${name} ${metavar}`.trimEnd()];
  return [`### --${name}`, forms.map(code).join(', '), paragraph(help, more)].join('\n\n');
}

function settingEntry(name: SettingName): string {
  const { alias, metavar, help, more, example, default: fallback, parse, repeatable } = declarationOf(name);
  const option = `${alias === undefined ? '' : `-${alias}, `}--${kebabCase(name)} ${metavar}`;
  const gunicorn = gunicornNameOf(name);
  const words = parse.schema.enum;
  const rows = [
    ['option', `${code(option)}${repeatable ? ', may be repeated' : ''}`],
    ['default', isSaid(fallback) ? code(String(fallback)) : 'not set'],
    ...(words === undefined ? [] : [['values', words.map((word) => code(String(word))).join(', ')]]),
    ['command line', code(optionExample(name, example))],
    ['config file', code(fileExample(name, example))],
    ['environment', code(`${environmentName(name)}=${environmentExample(example)}`)],
    ...(gunicorn === undefined ? [] : [['in gunicorn', code(gunicorn)]]),
  ];
  return [`### ${name}`, paragraph(help, more), table([['', ''], ...rows])].join('\n\n');
}

function gunicornTable(): string {
  const rows = [...sharedNames, ...Object.keys(gunicornSettings)].sort().map((name) => {
    const hint = explainUnknown(name, 'file')?.replace(/ of gunicorn's \w+$/, '') ?? '';
    const same = settingNames.find((setting) => setting === name) ?? hint.match(/^write (\w+)$/)?.[1];
    return [code(name), same === undefined ? (commandNameOf(name) ?? hint) : code(same)];
  });
  return [
    "## gunicorn's settings",
    paragraph('What each setting of gunicorn is called here, or why it has no counterpart.', undefined),
    table([['gunicorn', 'tsgun'], ...rows]),
  ].join('\n\n');
}

function commandNameOf(name: string): string | undefined {
  const option = name.replaceAll('_', '-');
  return Object.hasOwn(commandOptions, option) ? `the option ${code(`--${option}`)}` : undefined;
}

function paragraph(help: string, more: string | undefined): string {
  return wrap(more === undefined ? help : `${help} ${more}`, width).join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function table([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...rows.map(line)].join('\n');
}
