/**
 * What was compiled before: in the user's own cache on disk, or not at all. In a folder that others may write to, they
 * could put code there.
 */

import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Compiled, compile, type Format } from './compile.ts';
import type { CompileOptions } from './options.ts';

/** What an earlier version made of the same source is of no use. */
const ownFile = statSync(fileURLToPath(import.meta.url));
const version = [ownFile.size, ownFile.mtimeMs];
/** Files of releases that have gone stay behind. */
const mostFiles = 20_000;

/** @throws SyntaxError */
export function compileCached(source: string, path: string, format: Format, options: CompileOptions): Compiled {
  const directory = cacheDirectory();
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

/** Whole or not at all: workers that start together write the same file. */
function write(directory: string, file: string, { code, ...known }: Compiled): void {
  const own = `${file}.${process.pid}.${Math.random()}`;
  try {
    prune(directory);
    writeFileSync(own, `${JSON.stringify({ ...known, length: code.length })}\n${code}`, { mode: 0o600 });
    renameSync(own, file);
  } catch {
    // A full disk, or one that cannot be written to: then it is compiled each time.
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

let known: { readonly home: string; readonly directory: string | undefined } | undefined;

/** Anew where a worker has become another user, with another home. */
function cacheDirectory(): string | undefined {
  const home = baseDirectory();
  if (home === undefined) return undefined;
  if (known?.home !== home) known = { home, directory: ownDirectory(join(home, 'tsgun')) };
  return known.directory;
}

function baseDirectory(): string | undefined {
  try {
    return process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  } catch {
    // A user without a home.
    return undefined;
  }
}

/** Made where it is missing; undefined where it is somebody else's, or others may write to it. */
function ownDirectory(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(path);
    const isOwn = process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
    return isOwn ? path : undefined;
  } catch {
    return undefined;
  }
}
