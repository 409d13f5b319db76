/** Finds the config file and reads it anew each time: JSON, or a module. */

import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { describe, report } from '../../errors.ts';
import { type Hooks, pickHooks } from '../../hooks.ts';
import { readJson } from './json-file.ts';
import { type Source, sourceOf } from './sources.ts';

const moduleExtensions = ['.ts', '.js', '.mjs', '.mts', '.cts', '.cjs'];
const jsonExtensions = ['.json', '.jsonc'];

/** The names that are tried in this order if no file is given. */
export const configFileNames = [...moduleExtensions, '.json'].map((extension) => `tsgun.config${extension}`);

export interface FoundFile {
  /** Undefined where there is no file. */
  readonly source: Source | undefined;
  readonly warnings: readonly string[];
}

/** The given config file, else the first of the usual names that exists. */
export async function readConfigFile(
  asked: { readonly name: string; readonly by: string } | undefined,
  directory: string,
): Promise<FoundFile> {
  if (asked !== undefined) return { source: await readSource(asked.name, directory, asked.by), warnings: [] };
  const present = await Promise.all(configFileNames.map((name) => isThere(resolve(directory, name))));
  const [name, ...others] = configFileNames.filter((_, index) => present[index]);
  if (name === undefined) return { source: undefined, warnings: [] };
  const warnings = others.map((other) => `config: ${other} is ignored, because ${name} is there too`);
  return { source: await readSource(name, directory, name), warnings };
}

async function isThere(path: string): Promise<boolean> {
  // If `stat` fails for another reason, the file counts as there: reading it gives the proper error.
  return stat(path).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT',
  );
}

/** @param by what names the file: an option, a variable, or the file itself */
async function readSource(name: string, directory: string, by: string): Promise<Source> {
  const path = resolve(directory, name);
  const failed = (...problems: string[]): Source => ({ name, values: {}, problems });
  const extension = extname(path);
  if (!moduleExtensions.includes(extension) && !jsonExtensions.includes(extension))
    return failed(`config: expected ${expectedFile(extension)}, got ${describe(name)} (${by})`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return failed(
      `config: expected a file that can be read, got ${describe(name)}: ${readingErrorOf(error, path)} (${by})`,
    );
  }
  if (jsonExtensions.includes(extension)) {
    const { content, lines, problems } = readJson(text, name);
    return sourceOf(content, { name, path, lines, problems });
  }
  try {
    const content = await readModule(path);
    return sourceOf(content, { name, path, lines: likelyLines(text, content) });
  } catch (error) {
    return { name, values: {}, problems: [loadingErrorOf(error, name, path)], cause: error };
  }
}

function expectedFile(extension: string): string {
  const files = `a ${[...jsonExtensions, ...moduleExtensions.slice(0, -1)].join(', ')} or ${moduleExtensions.at(-1)} file`;
  return extension === '.py'
    ? `${files} (tsgun reads no Python; the names of gunicorn's settings are in docs/settings.md)`
    : files;
}

function readingErrorOf(error: unknown, path: string): string {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: `there is no ${path}`,
    EISDIR: 'it is a directory',
    EACCES: 'this user may not read it',
  };
  return reasons[code ?? ''] ?? report(error).message;
}

/** One line, with the first line of the file that the error's stack names. */
function loadingErrorOf(error: unknown, name: string, path: string): string {
  const { message, stack = '' } = report(error);
  const at = stack.indexOf(`${path}:`);
  const line = at === -1 ? undefined : /^\d+/.exec(stack.slice(at + path.length + 1))?.[0];
  // A syntax error ends in its place.
  const text = message.replace(/\s+/g, ' ');
  const place = text.lastIndexOf(` (${path}:`);
  const isPlaced = place !== -1 && /^\d+\)$/.test(text.slice(place + path.length + 3));
  return `config: the file failed to load: ${isPlaced ? text.slice(0, place) : text} (${line === undefined ? name : `${name}:${line}`})`;
}

/**
 * The lines of a module's keys. A value may come from anywhere in code, so a line is given only where one line alone, and
 * no comment, begins with the key.
 */
function likelyLines(text: string, content: unknown): Map<string, number> {
  const lines = new Map<string, number>();
  if (typeof content !== 'object' || content === null) return lines;
  const found = text.split('\n').map((line) => lineOfKey.exec(line)?.slice(1).find(Boolean));
  for (const key of Object.keys(content)) {
    const first = found.indexOf(key);
    if (first !== -1 && first === found.lastIndexOf(key)) lines.set(key, first + 1);
  }
  return lines;
}

const lineOfKey = /^\s*(?:async\s+)?(?:([\w$]+)|'([^']*)'|"([^"]*)")\s*[:,(]/;

/**
 * The hooks of a config module, in a worker: functions cannot be sent, so the worker loads the module itself.
 * @throws ConfigError
 */
export async function readHooks(path: string): Promise<Hooks> {
  return pickHooks(Object(await readModule(path)), path);
}

async function readModule(path: string): Promise<unknown> {
  const module = await importFresh(path);
  return module.default ?? module;
}

/** Past the module caches: a reload must see the file, and what it imports of the project's own, as they are now. */
async function importFresh(path: string): Promise<Record<string, unknown>> {
  return (await import('../../typescript/load.ts')).importFresh(path);
}
