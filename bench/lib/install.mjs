/** Peers from npm live in a folder of their own: they are no dependencies of the package. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { benchPath } from './servers.mjs';

export const cache = benchPath('.cache');
const installMs = 10 * 60_000;

/** A peer cannot take part here, and why. */
export class Missing extends Error {}

/**
 * Installs once, and again when the list changes.
 * @param {string} name of the folder
 * @param {readonly string[]} packages with their versions
 * @returns {string} the folder
 * @throws Missing
 */
export function npmPackages(name, packages) {
  const folder = join(cache, 'peers', name);
  const stamp = join(folder, 'installed.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === JSON.stringify(packages)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  console.error(`installing ${packages.join(' ')}`);
  const args = ['install', '--no-audit', '--no-fund', '--loglevel', 'error', ...packages];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: installMs });
  if (status !== 0) throw new Missing(`npm cannot install ${packages.join(' ')}: ${stderr.trim().split('\n')[0]}`);
  writeFileSync(stamp, JSON.stringify(packages));
  return folder;
}

/** @param {string} folder of an installation @param {string} name of a package */
export function packageVersion(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Of a package that the repository has for its tests. */
export function ownVersion(name) {
  const path = createRequire(import.meta.url)
    .resolve.paths(name)
    .find((folder) => existsSync(join(folder, name)));
  if (path === undefined) throw new Missing(`${name} is not installed: npm ci`);
  return JSON.parse(readFileSync(join(path, name, 'package.json'), 'utf8')).version;
}

/**
 * What a program says of its version.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} remedy
 * @param {string} [name] of what is missing without it
 * @throws Missing
 */
export function programVersion(program, args, remedy, name = program) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  if (error !== undefined || status !== 0) throw new Missing(`${name} is not installed: ${remedy}`);
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of unknown version';
}
