/**
 * Runs the suites of Node and of what stands on its servers, once with plain node and once with every `http.Server` served by
 * tsgun, and prints what passes; then the programs of suites/programs:
 *
 *   npm run suites -- [NAME ...] [--folder DIR] [--keep] [--jobs N]
 *
 * They are fetched with git and installed with npm, into a folder of their own. Exits 1 if a test that plain node passes fails
 * with tsgun and is not named in suites/known.mjs, if a suite does not run, or if a program fails.
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { known } from './known.mjs';
import { suites } from './list.mjs';

const run = promisify(execFile);
const preload = fileURLToPath(new URL('../node_modules/.cache/suites/serve.cjs', import.meta.url));
const suiteLimitMs = 15 * 60_000;
const fileLimitMs = 20_000;
const tapLimitMs = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'tsgun-suites') },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
});
const all = [...suites.map(({ name }) => name), 'programs'];
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  const names = all.map((name) => JSON.stringify(name)).join(', ');
  console.error(
    `suites: there is none named ${unknown.map((name) => JSON.stringify(name)).join(', ')}; there are ${names}`,
  );
  process.exit(1);
}
if (!existsSync(preload)) {
  console.error('suites: the server is not built: start them with `npm run suites`');
  process.exit(1);
}

/** Fetches a suite unless it is there, and installs what it needs. @returns the folder of its package */
async function prepare({ name, repository, tag, only, folder = '.', packages, build }) {
  const place = join(values.folder, name.replaceAll(/[^\w.-]+/g, '-'));
  const packageFolder = join(place, folder);
  if (existsSync(join(place, '.ready'))) return packageFolder;
  rmSync(place, { recursive: true, force: true });
  mkdirSync(values.folder, { recursive: true });
  const sparse = only === undefined ? [] : ['--filter=blob:none', '--sparse'];
  await run('git', ['clone', '--quiet', '--depth', '1', ...sparse, '--branch', tag, repository, place]);
  if (only !== undefined) await run('git', ['-C', place, 'sparse-checkout', 'set', ...only]);
  const options = { cwd: packageFolder, maxBuffer: 1e8 };
  // Else npm would install what the whole repository needs.
  if (packages !== undefined) for (const file of ['package.json', 'package-lock.json']) rmSync(join(place, file));
  if (existsSync(join(packageFolder, 'package.json')) && only === undefined)
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...(packages ?? [])], options);
  if (build !== undefined) await run(build[0], build.slice(1), options);
  await run('touch', [join(place, '.ready')]);
  return packageFolder;
}

/** @returns the name of each test, and whether it passed */
async function results(suite, folder, isOurs) {
  const env = { ...process.env, NODE_ENV: 'test', NODE_TEST_DIR: join(folder, 'tmp') };
  if (isOurs) env.NODE_OPTIONS = `--require ${JSON.stringify(preload)}`;
  if (suite.form === 'files') return await filesOf(suite, folder, env);
  if (suite.each !== undefined) return await tapsOf(suite.each, folder, env);
  const file = join(folder, `results-${isOurs ? 'tsgun' : 'node'}.json`);
  rmSync(file, { force: true });
  const command = suite.command.map((part) => part.replace('RESULT', file));
  const output = await outputOf(command, { cwd: folder, env }, suiteLimitMs);
  if (suite.form === 'tap') return readTap(output.text);
  // Older versions of mocha only print them.
  const printed = existsSync(file) ? -1 : output.text.search(/^\{\n {2}"stats"/m);
  if (printed !== -1) return readMocha(JSON.parse(output.text.slice(printed, output.text.lastIndexOf('}') + 1)));
  if (!existsSync(file))
    throw new Error(`${command.join(' ')} left no results (${output.end}):\n${output.text.slice(-2000)}`);
  const read = JSON.parse(readFileSync(file, 'utf8'));
  return suite.form === 'mocha' ? readMocha(read) : readVitest(read);
}

function outputOf([command, ...args], options, limitMs) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let text = '';
    const take = (bytes) => {
      // A suite that writes without end is cut off in time; what it wrote last says why.
      text = (text + bytes).slice(-20_000_000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limitMs);
    child.on('error', (error) => take(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ text, code, end: signal ?? `exit code ${code}` });
    });
  });
}

function readMocha({ passes, failures }) {
  const found = new Map();
  for (const { fullTitle } of passes) found.set(fullTitle, true);
  for (const { fullTitle } of failures) found.set(fullTitle, false);
  return found;
}

function readVitest({ testResults }) {
  const found = new Map();
  for (const { assertionResults } of testResults)
    for (const { fullName, status } of assertionResults)
      if (status !== 'skipped') found.set(fullName, status === 'passed');
  return found;
}

/** Only what has no tests within, by the names of all around it. */
function readTap(text) {
  const found = new Map();
  const path = [];
  for (const line of text.split('\n')) {
    const subtest = /^(\s*)# Subtest: (.*)$/.exec(line);
    if (subtest !== null) {
      path.length = subtest[1].length / 4;
      path.push(subtest[2]);
    }
    const result = /^(\s*)(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line);
    if (result === null || result[4] !== undefined) continue;
    const depth = result[1].length / 4;
    if (path.length === depth + 1) found.set([...path.slice(0, depth), result[3]].join(' > '), result[2] === undefined);
  }
  return found;
}

async function tapsOf({ within, files, command }, folder, env) {
  const names = readdirSync(join(folder, within), { recursive: true }).filter((name) => files.test(name));
  const found = new Map();
  const next = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const path = join(within, name);
      const { text } = await outputOf([...command, path], { cwd: folder, env }, tapLimitMs);
      for (const [test, passed] of readTap(text)) found.set(`${name} > ${test}`, passed);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, next));
  return found;
}

async function filesOf({ files }, folder, env) {
  const parallel = join(folder, 'test/parallel');
  mkdirSync(env.NODE_TEST_DIR, { recursive: true });
  const names = readdirSync(parallel).filter((name) => files.test(name));
  const found = new Map();
  const next = async (id) => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const file = join(parallel, name);
      const flags = /^\/\/ Flags: (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1].split(' ') ?? [];
      const its = { ...env, TEST_THREAD_ID: id, TEST_PARALLEL: '1' };
      const { code } = await outputOf([process.execPath, ...flags, file], { cwd: folder, env: its }, fileLimitMs);
      found.set(name, code === 0);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, (_, id) => next(String(id))));
  return found;
}

/** Prints a table of its own, and names what fails. @returns whether all is well */
async function runPrograms() {
  const folder = join(values.folder, 'programs');
  const args = [fileURLToPath(new URL('programs/run.mjs', import.meta.url)), '--folder', folder];
  const child = spawn(process.execPath, values.keep ? [...args, '--keep'] : args, { stdio: 'inherit' });
  const [code] = await once(child, 'close');
  return code === 0;
}

let hasNew = false;
const rows = [];
const differences = [];
/** Failed, and passed when the suite ran again. */
const unsteady = [];
/** Named in known.mjs, and no difference any more. */
const mended = [];
for (const suite of suites) {
  if (positionals.length > 0 && !positionals.includes(suite.name)) continue;
  try {
    const folder = await prepare(suite);
    const nodes = await results(suite, folder, false);
    const ours = await results(suite, folder, true);
    const passing = [...nodes].filter(([, passed]) => passed).map(([test]) => test);
    let failing = passing.filter((test) => ours.get(test) !== true);
    const named = (known[suite.name] ?? []).flatMap(({ tests }) => tests);
    const isNew = (test) => !named.includes(test);
    // Some tests bet on times or on an order, and lose now and then: those are listed apart.
    const again = failing.some(isNew) ? await results(suite, folder, true) : undefined;
    const unexplained = failing.filter((test) => isNew(test) && again?.get(test) !== true);
    const once = failing.filter((test) => isNew(test) && !unexplained.includes(test));
    unsteady.push(...once.map((test) => `${suite.name}: ${test}`));
    failing = failing.filter((test) => !once.includes(test));
    hasNew ||= unexplained.length > 0;
    rows.push([suite.name, suite.tag, nodes.size, passing.length, failing.length, unexplained.length]);
    mended.push(
      ...passing.filter((test) => named.includes(test) && ours.get(test)).map((test) => `${suite.name}: ${test}`),
    );
    differences.push(...failing.map((test) => `${suite.name}: ${test}${unexplained.includes(test) ? '' : ' (known)'}`));
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    hasNew = true;
    const why = error.message.replaceAll(/\s+/g, ' ').slice(0, 300);
    rows.push([suite.name, suite.tag, '-', '-', '-', `did not run: ${why}`]);
  }
  console.error(rows.at(-1).join(' | '));
}
console.log(`Node ${process.version}\n`);
if (rows.length > 0) {
  console.log('| suite | version | tests | pass with node | of these, differ with tsgun | without a reason |');
  console.log('|---|---|---|---|---|---|');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}
if (differences.length > 0)
  console.log(`\nPass with node and fail with tsgun:\n\n${differences.map((each) => `- ${each}`).join('\n')}`);
if (unsteady.length > 0)
  console.log(`\nFailed with tsgun, and passed at a second run:\n\n${unsteady.map((each) => `- ${each}`).join('\n')}`);
if (mended.length > 0)
  console.log(`\nNamed in suites/known.mjs, and the same now:\n\n${mended.map((each) => `- ${each}`).join('\n')}`);
const programsRun = positionals.length > 0 && !positionals.includes('programs') ? true : await runPrograms();
process.exitCode = hasNew || !programsRun ? 1 : 0;
