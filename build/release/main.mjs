/**
 * Everything between a build and a published version. Without an option it publishes nothing:
 *
 *   npm run release               # checks, SBOM, licences, the tarball, an installation of it, and npm's own dry run
 *   npm run release -- --publish  # the same, then npm publish --provenance: in CI, from the tag of the version
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contentFaults } from './contents.mjs';
import { installed, licenceReport, readLock } from './licences.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'release');
const startMs = 60_000;
const app = `import type { App } from 'tsgun';

const app: App = (env, startResponse) => {
  startResponse('200 OK', []);
  return ['hello, ', env.PATH_INFO];
};
export default app;
`;
const { values } = parseArgs({ options: { publish: { type: 'boolean', default: false } } });
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const npm = (args, options = {}) =>
  execFileSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
step('version', checkVersion);
step('SBOM', writeSboms);
step('licences', writeLicences);
const tarball = pack();
await step('installation', () => tryOut(tarball));
step(
  'npm publish --dry-run',
  () =>
    npm(['publish', tarball, '--dry-run', '--ignore-scripts', '--access', 'public'], { stdio: 'pipe' }) &&
    `${name}@${version}`,
);
if (values.publish) step('npm publish', publish);
else console.log('nothing was published; the files are in release/');

/** @template T @param {() => T} act @returns {T} what it gives; its last words are printed */
function step(title, act) {
  const said = (text) => {
    console.log(`${title}: ${text}`);
    return text;
  };
  try {
    const result = act();
    return result instanceof Promise ? result.then(said, (error) => fail(title, error)) : said(result);
  } catch (error) {
    return fail(title, error);
  }
}

function fail(title, error) {
  console.error(`${title}: FAILED: ${error.stderr || error.message}`);
  process.exit(1);
}

function checkVersion() {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const problems = [];
  if (!changelog.includes(`\n## ${version}`)) problems.push(`CHANGELOG.md has no section ${version}`);
  if (git('status', '--porcelain') !== '') problems.push('the working tree has changes');
  if (!git('tag', '--points-at', 'HEAD').split('\n').includes(`v${version}`))
    problems.push(`HEAD is not tagged v${version}`);
  if (values.publish && problems.length > 0) throw new Error(problems.join('; '));
  return [version, ...problems.map((problem) => `not ready to be published: ${problem}`)].join('; ');
}

/** Of what users install: no development dependencies. */
function writeSboms() {
  const counts = ['cyclonedx', 'spdx'].map((format) => {
    const text = npm(['sbom', '--sbom-format', format, '--omit', 'dev', '--package-lock-only']);
    writeFileSync(join(out, `${name}-${version}.${format === 'spdx' ? 'spdx' : 'cdx'}.json`), text);
    const { components, packages } = JSON.parse(text);
    return `${format} with ${(components ?? packages).length} packages`;
  });
  return counts.join(', ');
}

function writeLicences() {
  const packages = installed(readLock(root));
  const { report, faults } = licenceReport(packages);
  if (faults.length > 0) throw new Error(`not permissive: ${faults.join(', ')}`);
  writeFileSync(join(out, 'licences.md'), report);
  return `${packages.length} packages, all under permissive licences`;
}

function pack() {
  const output = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out]));
  // A list in npm 10, an object by the package's name in npm 11.
  const [{ filename, files, unpackedSize, size, integrity }] = Object.values(output);
  const faults = contentFaults(
    files.map(({ path }) => path),
    unpackedSize,
  );
  if (faults.length > 0) throw new Error(faults.join('; '));
  const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;
  console.log(`package: ${files.length} files, ${kib(size)}, ${kib(unpackedSize)} unpacked, ${integrity}`);
  return join(out, filename);
}

/** In an empty folder, as a stranger would. */
async function tryOut(tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-release-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    npm(['install', '--no-audit', '--no-fund', tarball], { cwd: folder });
    writeFileSync(join(folder, 'app.ts'), app);
    const command = [
      join(folder, 'node_modules/.bin/tsgun'),
      'app.ts',
      '--bind',
      '127.0.0.1:0',
      '--control-socket',
      'none',
    ];
    const body = await firstAnswer(command, folder);
    if (body !== 'hello, /you') throw new Error(`answered ${JSON.stringify(body)}`);
    return 'installed in an empty folder, runs TypeScript and answers';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstAnswer([file, ...args], cwd) {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), startMs);
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      const { event, url } = line.startsWith('{') ? JSON.parse(line) : {};
      if (event === 'listening') return await textOf(url);
    }
    throw new Error('tsgun ended before it served');
  } finally {
    clearTimeout(timer);
    child.kill('SIGTERM');
    await exited;
  }
}

function textOf(url) {
  return new Promise((resolve, reject) => {
    get(new URL('/you', url), async (response) => resolve(Buffer.concat(await response.toArray()).toString())).on(
      'error',
      reject,
    );
  });
}

/** Provenance says which commit and which workflow made the package; only CI can sign that. */
function publish() {
  if (process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined && process.env.SIGSTORE_ID_TOKEN === undefined)
    throw new Error('no identity to sign with: publish from CI, where the job may ask for an id-token');
  npm(['publish', tarball, '--provenance', '--ignore-scripts', '--access', 'public'], { stdio: 'inherit' });
  return `${name}@${version}`;
}
