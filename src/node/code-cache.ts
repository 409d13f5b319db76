/**
 * Runs tsgun's own code with what V8 made of it at an earlier start (`vm.Script`, `cachedData`): compiling it anew takes 10 to
 * 20 ms of CPU time in each worker. `build/cached-code.mjs` makes the files. What V8 made lies in the user's own folder; without
 * one, code is compiled each time.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { isOwn, makeOwn, userCachePath } from './user-cache.ts';

type Code = (...args: readonly unknown[]) => readonly unknown[];

/** What the processes of one user share. Undefined where nothing is to be kept. */
const home = isWanted() ? userCachePath() : undefined;
const folder = home && join(home, 'code');
/** Who may write there: a worker may become another user. */
const owner = process.geteuid?.();
/** What was compiled here, by the file in which it is kept. */
const compiled = new Map<string, Script>();
/** Files of former releases and of other versions of Node would otherwise stay for ever: 20 starts of different ones, 12 MB. */
const mostFiles = 100;

/**
 * @param hash of the file's text: V8 looks at its length only
 * @param args what the code is called with
 * @returns what it exports
 * @throws Error in a bundle, or the system's
 */
export function runCode(
  name: string,
  hash: string,
  importMeta: ImportMeta,
  ...args: readonly unknown[]
): readonly unknown[] {
  const url = codeOf(name, importMeta.url);
  const path = fileURLToPath(url);
  const text = readFileSync(path, 'utf8');
  const kept = folder && join(folder, [name, hash, ...versionOf(path), placeOf(path)].join('-'));
  const cachedData = kept === undefined ? undefined : read(kept);
  // As stacks name ES modules.
  const script = new Script(text, { filename: url.href, ...(cachedData === undefined ? {} : { cachedData }) });
  const isRejected = script.cachedDataRejected === true;
  if (kept !== undefined && isRejected) drop(kept);
  if (kept !== undefined && (cachedData === undefined || isRejected)) compiled.set(kept, script);
  return (script.runInThisContext() as Code)(importMeta, ...args);
}

/** @param from undefined where a bundler has made CommonJS of the module @throws Error in a bundle, which lacks the code */
function codeOf(name: string, from: string | undefined): URL {
  if (from !== undefined && new URL(from).pathname.endsWith(`/chunks/${name}.js`))
    return new URL(`${name}.code.js`, from);
  throw new Error(
    "tsgun's own files are not where it looks for them: was it bundled with the script? Keep tsgun external (esbuild --external:tsgun; " +
      'external: ["tsgun"] in Rollup, Rolldown and Vite), and install it beside the bundle',
  );
}

/** Keeps what this process compiled, the functions that it has called among it. Costs 10 ms the first time, and nothing later. */
export function keepCode(): void {
  if (home === undefined || folder === undefined || process.geteuid?.() !== owner) return;
  for (const [file, script] of compiled) {
    const own = `${file}.${process.pid}`;
    try {
      if (!makeOwn(home)) break;
      if (existsSync(file)) continue;
      mkdirSync(folder, { mode: 0o700, recursive: true });
      prune(folder);
      // Whole or not at all.
      writeFileSync(own, script.createCachedData(), { mode: 0o600 });
      renameSync(own, file);
    } catch {
      // The disk is full or read-only: then the code is compiled each time.
      drop(own);
    }
  }
  compiled.clear();
}

/** As Node says for its own cache; with what is measured, it would not be whole. */
function isWanted(): boolean {
  const { NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE } = process.env;
  return !NODE_DISABLE_COMPILE_CACHE && !NODE_V8_COVERAGE;
}

/** The file may have been edited by hand; other versions of V8, and other flags of it, make something else. */
function versionOf(path: string): readonly string[] {
  const { mtimeMs, size } = statSync(path);
  return [mtimeMs, size, cachedDataVersionTag()].map((number) => Math.trunc(number).toString(36));
}

/** V8 keeps the file's name with its code: another copy of tsgun would have this one's paths in its stacks. FNV-1a, 32 bits. */
function placeOf(path: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}

function drop(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It is looked at again at the next start.
  }
}

function read(file: string): Buffer | undefined {
  try {
    return isOwn(home!) && isOwn(folder!) ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  }
}

function prune(place: string): void {
  const files = readdirSync(place).map((name) => join(place, name));
  if (files.length < mostFiles) return;
  // To the half, so that this is rare.
  const byAge = files.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((one, other) => one.at - other.at);
  for (const { file } of byAge.slice(0, files.length - mostFiles / 2)) rmSync(file, { force: true });
}
