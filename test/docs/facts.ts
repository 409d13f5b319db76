/** Reads the pages of the repository, and from its code what they must agree with. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandOptions } from '../../src/config/command-options.ts';
import { kebabCase } from '../../src/config/kebab-case.ts';
import { environmentName, settingNames } from '../../src/config/settings.ts';
import { commands } from '../../src/control/options.ts';
import type { Facts } from './checks.ts';
import type { Page } from './markdown.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');

/** Paths of the files below a folder whose names end so. */
function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !/node_modules|\.vitepress/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

export function readPages(): Page[] {
  const atTop = readdirSync(root).filter((name) => name.endsWith('.md'));
  const folders = ['docs', 'src', 'apps', 'bench', 'examples', 'test', 'packages'];
  const below = folders.filter((name) => existsSync(join(root, name))).flatMap((folder) => filesIn(folder, '.md'));
  return [...atTop, ...below].map((name) => ({ name, text: read(name) }));
}

/** Variables that are no settings. */
const otherVariables = ['TSGUN_CONFIG', 'TSGUN_NO_INTERNALS'];

export function readFacts(): Facts {
  const sources = filesIn('src', '.ts').map(read).join('\n');
  const events = sources.matchAll(/\.event\(\s*(?:'\w+'|\w+(?:\([^()]*\))?),\s*'([a-z_]+)'/g);
  const ofCommands = Object.values(commands).flatMap(({ options }) => Object.keys(options ?? {}));
  const named = [...settingNames.map(kebabCase), ...Object.keys(commandOptions), ...ofCommands, 'json', 'pid'];
  return {
    exists: (path) => existsSync(join(root, path)),
    settings: settingNames,
    options: new Set(named.map((name) => `--${name}`)),
    commands: Object.keys(commands),
    events: [...new Set([...events].map(([, name = '']) => name))].sort(),
    signals: [...read('src/master/commands.ts').matchAll(/^ {2}(SIG\w+): '/gm)].map(([, name = '']) => name),
    variables: new Set([...settingNames.map(environmentName), ...otherVariables]),
  };
}
