/** What a project is to be: from the command line, checked. No terminal here. */

import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const templateNames = ['wsgi', 'express', 'hono', 'fastify'] as const;
export type TemplateName = (typeof templateNames)[number];
export const languages = ['ts', 'js'] as const;
export type Language = (typeof languages)[number];

/** For people: what to write instead. */
export class Refusal extends Error {}

/** What the command line says; the rest is asked, or has a default. */
export interface Asked {
  readonly directory: string | undefined;
  readonly template: TemplateName | undefined;
  readonly language: Language | undefined;
  readonly install: boolean;
  readonly tsgun: string | undefined;
  readonly yes: boolean;
  readonly help: boolean;
}

export interface Choice {
  /** Absolute. */
  readonly directory: string;
  readonly name: string;
  readonly template: TemplateName;
  readonly language: Language;
}

export const usage = `npm create tsgun@latest [DIRECTORY] -- [options]

  --template NAME   ${templateNames.join(', ')}; default wsgi
  --language ts|js  default ts
  --no-install      do not install the dependencies
  --tsgun SPEC      another version of tsgun, or a file of npm pack
  -y, --yes         ask nothing
`;

/** @throws Refusal */
export function parseOptions(argv: readonly string[]): Asked {
  const { values, positionals } = parse(argv);
  if (positionals.length > 1) throw new Refusal(`one directory only, got ${positionals.join(' and ')}`);
  return {
    directory: positionals[0],
    template: oneOf('template', values.template, templateNames),
    language: oneOf('language', values.language, languages),
    install: values['no-install'] !== true,
    tsgun: values.tsgun,
    yes: values.yes === true,
    help: values.help === true,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        template: { type: 'string', short: 't' },
        language: { type: 'string', short: 'l' },
        tsgun: { type: 'string' },
        'no-install': { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${usage}`);
  }
}

function oneOf<T extends string>(option: string, given: string | undefined, words: readonly T[]): T | undefined {
  if (given === undefined) return undefined;
  const found = words.find((word) => word === given.toLowerCase());
  if (found === undefined) throw new Refusal(`--${option}: expected ${words.join(', ')}, got ${JSON.stringify(given)}`);
  return found;
}

/** The rules of npm for names of new packages. */
const nameForm = /^[a-z0-9][a-z0-9._-]{0,212}$/;
const taken = ['node_modules', 'favicon.ico', 'tsgun'];

/** @returns what is wrong with the directory's name as one of a package; undefined for a good one */
export function nameProblem(directory: string): string | undefined {
  const name = basename(resolve(directory));
  if (directory.trim() === '') return 'expected the name of a new directory, got none';
  if (nameForm.test(name) && !taken.includes(name)) return undefined;
  const likely = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '');
  const hint = nameForm.test(likely) && !taken.includes(likely) ? `; write ${likely}` : '';
  return `the directory's name becomes that of a package, which has small letters, digits, dots and dashes, got ${JSON.stringify(name)}${hint}`;
}

/** @throws Refusal for a bad name */
export function choose({ directory, template = 'wsgi', language = 'ts' }: Partial<Asked>): Choice {
  if (directory === undefined) throw new Refusal(`no directory given\n\n${usage}`);
  const problem = nameProblem(directory);
  if (problem !== undefined) throw new Refusal(problem);
  const path = resolve(directory);
  return { directory: path, name: basename(path), template, language };
}
