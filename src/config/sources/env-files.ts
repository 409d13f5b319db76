/** Files of variables for the workers, in dotenv form. They are read anew with each configuration. */

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, report } from '../../errors.ts';
import type { Checked } from '../cross-checks.ts';

export interface WorkerVariables {
  /** Beside those of the environment, or in place of them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What the environment already has wins over a file; `env` wins over both. */
export function workerVariables({ settings, origins }: Checked, env: NodeJS.ProcessEnv): WorkerVariables {
  const { variables, problems } = readFiles(settings.envFile, origins.envFile);
  const added = Object.entries(variables).filter(([name]) => env[name] === undefined);
  const environment = { ...Object.fromEntries(added), ...settings.env };
  return { environment, problems, warnings: misplacedSettings(Object.keys(variables), origins) };
}

/** What these would say, where nothing else says it, and what says it instead. */
const generalVariables: Readonly<Record<string, { readonly sets: 'bind' | 'workers'; readonly remedy: string }>> = {
  PORT: { sets: 'bind', remedy: 'write --bind for that' },
  WEB_CONCURRENCY: { sets: 'workers', remedy: 'write --workers for that' },
};

/** An env file is for the app: settings of tsgun have no effect there, so each gets a warning. */
function misplacedSettings(names: readonly string[], origins: Checked['origins']): string[] {
  return names.flatMap((name) => {
    const general = Object.hasOwn(generalVariables, name) ? generalVariables[name] : undefined;
    if (general === undefined ? !name.startsWith('TSGUN_') : origins[general.sets] !== 'default') return [];
    const remedy = general?.remedy ?? 'put it into the environment or a config file';
    return `envFile: ${name} in an env file is for the app and changes no setting; ${remedy} (${origins.envFile})`;
  });
}

/** Of several files that set a variable the last one counts. */
function readFiles(paths: readonly string[], place: string) {
  const variables: Record<string, string> = {};
  const problems: string[] = [];
  for (const path of paths) {
    try {
      const text = readFileSync(path, 'utf8')
        .replace(/^\uFEFF/, '')
        .replaceAll('\r\n', '\n');
      problems.push(...badLines(text, path));
      Object.assign(variables, parseEnv(text));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code === 'ENOENT' ? 'it is not there' : report(error).message;
      problems.push(`envFile: expected a file that can be read, got ${describe(path)}: ${reason} (${place})`);
    }
  }
  return { variables, problems };
}

const blank = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
/** A value in quotes may go on for several lines. */
const quoted = /[^\S\n]*(?:export[^\S\n]+)?[\w.-]+[^\S\n]*=[^\S\n]*(?:"[^"\0]*"|'[^'\0]*'|`[^`\0]*`)[^\n\0]*(?:\n|$)/y;
const plain = /[^\S\n]*(?:export[^\S\n]+)?[\w.-]+[^\S\n]*=(?![^\S\n]*["'`])[^\n\0]*(?:\n|$)/y;

/** Lines that Node's own parser misreads or ignores without an error. */
function badLines(text: string, path: string): string[] {
  const problems: string[] = [];
  for (let at = 0; at < text.length; ) {
    const form = [blank, quoted, plain].find((each) => {
      each.lastIndex = at;
      return each.test(text);
    });
    if (form !== undefined) {
      at = form.lastIndex;
      continue;
    }
    const end = text.indexOf('\n', at) === -1 ? text.length : text.indexOf('\n', at);
    const line = text.slice(0, at).split('\n').length;
    problems.push(`envFile: expected NAME=VALUE, got ${whatIsWrong(text.slice(at, end))} (${path}:${line})`);
    at = end + 1;
  }
  return problems;
}

/** Without the value, which may be a secret. */
function whatIsWrong(line: string): string {
  const equals = line.indexOf('=');
  const name = describe(line.slice(0, equals === -1 ? undefined : equals).trim());
  if (equals === -1) return name;
  if (name === '""') return 'a value without a name';
  if (line.includes('\0')) return `a zero byte in ${name}`;
  return /^"[\w.-]+"$/.test(name) ? `a value that does not end, of ${name}` : name;
}
