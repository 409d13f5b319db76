/** The cache of compiled code: see `node/user-cache.ts`. */

import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from '../node/user-cache.ts';
import { type Compiled, compile, type Format } from './compile.ts';
import type { CompileOptions } from './options.ts';

/** Part of each key: output of an earlier version must not be used. */
const ownFile = statSync(fileURLToPath(import.meta.url));
const version = [ownFile.size, ownFile.mtimeMs];
/** A cache with more files is emptied: files of former releases would otherwise stay for ever. */
const mostFiles = 20_000;

/** @throws SyntaxError */
export function compileCached(source: string, path: string, format: Format, options: CompileOptions): Compiled {
  const directory = userCache();
  if (directory === undefined) return compile(source, path, format, options);
  // The path is part of it: that is what errors name, and what says the language.
  const key = hash('sha256', JSON.stringify([version, path, format, options, source]));
  const file = join(directory, key);
  const found = read(file);
  if (found !== undefined) return found;
  const compiled = compile(source, path, format, options);
  write(directory, file, compiled);
  return compiled;
}

/** The first line holds what is known of the code, and its length. */
function read(file: string): Compiled | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const { length, ...known } = JSON.parse(text.slice(0, end)) as Omit<Compiled, 'code'> & { length: number };
    const code = text.slice(end + 1);
    return code.length === length ? { ...known, code } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file whole or not at all: workers that start together write the same one. */
function write(directory: string, file: string, { code, ...known }: Compiled): void {
  const own = `${file}.${process.pid}.${Math.random()}`;
  try {
    prune(directory);
    writeFileSync(own, `${JSON.stringify({ ...known, length: code.length })}\n${code}`, { mode: 0o600 });
    renameSync(own, file);
  } catch {
    // The disk is full or read-only: then the file is compiled each time.
    rmSync(own, { force: true });
  }
}

let isPruned = false;

function prune(directory: string): void {
  if (isPruned) return;
  isPruned = true;
  if (readdirSync(directory).length > mostFiles) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
}
