/**
 * What is installed with tsgun, PM2 and Watt: packages and bytes, in an empty folder of each.
 *
 *   node bench/footprint.mjs            # prints the table
 *   node bench/footprint.mjs --write    # and puts it into README.md
 */

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { table } from './lib/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const others = ['pm2@7.0.4', 'wattpm@3.67.0'];

const folder = mkdtempSync(join(tmpdir(), 'tsgun-footprint-'));
try {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = Object.values(
    JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
  );
  const rows = [join(folder, filename), ...others].map(measure);
  const text = table([['', 'packages', 'installed'], ...rows]);
  console.log(text);
  if (process.argv.includes('--write')) write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(what, index) {
  const place = join(folder, String(index));
  execFileSync('mkdir', [place]);
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  const options = { cwd: place, stdio: 'ignore' };
  execFileSync('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', what], options);
  const { packages } = JSON.parse(readFileSync(join(place, 'node_modules/.package-lock.json'), 'utf8'));
  const [name] = Object.keys(JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')).dependencies);
  const { version } = packages[`node_modules/${name}`];
  const mib = bytesIn(join(place, 'node_modules')) / 1024 ** 2;
  return [`${name} ${version}`, String(Object.keys(packages).length), `${mib.toFixed(0)} MiB`];
}

/** Of the files, not of the blocks that a file system gives them. */
function bytesIn(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}

function write(text) {
  const file = join(root, 'README.md');
  const before = readFileSync(file, 'utf8');
  const marked = /(<!-- footprint: node bench\/footprint\.mjs --write -->\n)[\s\S]*?(<!-- \/footprint -->)/;
  if (!marked.test(before)) throw new Error('README.md has no place marked for it');
  writeFileSync(file, before.replace(marked, `$1\n${text}\n\n$2`));
}
