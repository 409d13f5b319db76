/** The checks of the documentation. Each returns one sentence for each fault, with page and line. */

import { posix } from 'node:path';
import { anchorsOf, codeOf, linksOf, type Page } from './markdown.ts';

/** What is true of the project, for pages to be held against. */
export interface Facts {
  /** Whether the repository has a file or folder at this path. */
  exists(path: string): boolean;
  /** In camelCase, as in a config file. */
  readonly settings: readonly string[];
  /** Every option of the command, with its dashes. */
  readonly options: ReadonlySet<string>;
  /** For a running instance. */
  readonly commands: readonly string[];
  /** The events that the code logs. */
  readonly events: readonly string[];
  readonly signals: readonly string[];
  readonly variables: ReadonlySet<string>;
}

/** Options of other programs that pages name, by themselves or in a command of theirs. */
const foreign = new Set([
  ...['--init', '--ulimit', '--require', '--import', '--max-old-space-size', '--max-semi-space-size'],
  ...[
    '--stop-timeout',
    '--unhandled-rejections',
    '--unbuffered',
    '--instances',
    '--preload',
    '--daemon',
    '--cpu-prof',
    '--trace-warnings',
    '--flag',
  ],
]);

export function checkLinks(pages: readonly Page[], { exists }: Pick<Facts, 'exists'>): string[] {
  const anchors = new Map(pages.map((page) => [page.name, anchorsOf(page)]));
  return pages.flatMap((page) =>
    linksOf(page).flatMap(({ target, line }) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page.name : posix.normalize(posix.join(posix.dirname(page.name), path));
      const where = `${page.name}:${line}`;
      if (!exists(file)) return [`${where} links to ${target}, which does not exist`];
      if (anchor === undefined || !file.endsWith('.md')) return [];
      return anchors.get(file)?.has(anchor) === true
        ? []
        : [`${where} links to ${target}, a heading that ${file} does not have`];
    }),
  );
}

/** The site's sidebar and llms.txt are made of the list in docs/index.md; README.md leads to the pages for users. */
export function checkReachable(pages: readonly Page[]): string[] {
  const linkedBy = (page: Page) =>
    linksOf(page).map(({ target }) => posix.normalize(posix.join(posix.dirname(page.name), target.replace(/#.*/, ''))));
  const index = pages.filter(({ name }) => name === 'docs/index.md').flatMap(linkedBy);
  const linked = pages.filter(({ name }) => name !== 'docs/index.md').flatMap(linkedBy);
  return pages
    .filter(({ name }) => name.startsWith('docs/') && name !== 'docs/index.md')
    .flatMap(({ name }) => [
      ...(linked.includes(name) ? [] : [`${name}: no page links to it`]),
      ...(index.includes(name) || /^docs\/\w+\//.test(name) ? [] : [`docs/index.md does not list ${name}`]),
    ]);
}

/** Options and variables that a page names exist: what is not built is not documented. */
export function checkNames(pages: readonly Page[], { options, variables }: Facts): string[] {
  const forUsers = pages.filter(({ name }) => name === 'README.md' || name.startsWith('docs/'));
  return forUsers.flatMap((page) =>
    codeOf(page).flatMap(({ code, line }) => {
      const faults: string[] = [];
      const says = (what: string) => faults.push(`${page.name}:${line} names ${what}, which tsgun does not have`);
      for (const [name] of code.matchAll(/\bTSGUN_[A-Z_]*[A-Z]/g)) if (!variables.has(name)) says(name);
      for (const option of optionsIn(code)) if (!options.has(option) && !foreign.has(option)) says(option);
      return faults;
    }),
  );
}

/** An option by itself, and options of a command line of tsgun up to the app's own. */
function optionsIn(code: string): string[] {
  const commands = code
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => (/^--[a-z]/.test(line) ? [line] : (/\btsgun (.*)/.exec(line)?.slice(1) ?? [])));
  return commands.flatMap(
    (command) => command.replace(/ -- .*| # .*| \|.*/, '').match(/(?<=^|\s)--[a-z][a-z-]*/g) ?? [],
  );
}

export function checkComplete(pages: readonly Page[], { settings, events, signals, commands }: Facts): string[] {
  const text = (name: string) => pages.find((page) => page.name === name)?.text ?? '';
  const lacks = (page: string, names: readonly string[], form: (name: string) => string) =>
    names.filter((name) => !text(page).includes(form(name))).map((name) => `${page} does not have ${name}`);
  if (events.length < 10) return ['the events that the code logs were not found: see test/docs/facts.ts'];
  return [
    ...lacks('docs/settings.md', settings, (name) => `\n### ${name}\n`),
    ...lacks('docs/troubleshooting.md', events, (name) => `\`${name}\``),
    ...lacks('docs/control.md', commands, (name) => `tsgun ${name}`),
    ...lacks('docs/signals.md', signals, (name) => `| ${name.replace('SIG', '')}`),
  ];
}

export function checkAll(pages: readonly Page[], facts: Facts): string[] {
  return [
    ...checkLinks(pages, facts),
    ...checkReachable(pages),
    ...checkNames(pages, facts),
    ...checkComplete(pages, facts),
  ];
}
