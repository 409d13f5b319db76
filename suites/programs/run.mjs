/**
 * Makes programs from their frameworks' own templates, runs each under node and under tsgun with two workers, compares the
 * answers, and reloads it under load:
 *
 *   npm run suites:programs -- [NAME ...] [--folder DIR] [--keep] [--classes async,threaded]
 *
 * Exits 1 if an answer differs, a request is lost, or a program does not run.
 */

import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ask, askOn, compare } from './ask.mjs';
import { programs } from './list.mjs';
import { serveByNode, serveByTsgun } from './serve.mjs';

const { io } = createRequire(import.meta.url)('socket.io-client');
const files = fileURLToPath(new URL('files/', import.meta.url));
const makeMs = 10 * 60_000;
/** Requests that a reload must see before and after it. */
const aroundReload = 50;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'tsgun-suites', 'programs') },
    keep: { type: 'boolean', default: false },
    classes: { type: 'string', default: 'async,threaded' },
  },
});

/** For tools of the templates: no questions, no reports to their makers, and the same node as here. */
const quiet = {
  CI: '1',
  NO_UPDATE_NOTIFIER: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
};

/** @returns the folder that the program runs in */
async function make({ name, files: ownFiles, after = 0, make: commands, folder = '.' }) {
  const place = join(values.folder, name.toLowerCase().replaceAll(/[^\w]+/g, '-'));
  if (!existsSync(join(place, '.made'))) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    for (const [index, command] of [...commands, undefined].entries()) {
      if (ownFiles !== undefined && index === after) {
        cpSync(join(files, ownFiles), place, { recursive: true });
        if (!existsSync(join(place, 'package.json')))
          writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
      } else if (index === 0 && command[0] === 'npm')
        writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
      if (command !== undefined) await carryOut(command, place);
    }
    writeFileSync(join(place, '.made'), '');
  }
  return { place, cwd: join(place, folder) };
}

function carryOut([command, ...args], cwd) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...quiet };
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: makeMs });
    let text = '';
    const take = (bytes) => {
      text = (text + bytes).slice(-4000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}:\n${text}`));
    });
  });
}

/** @returns what the program answers to an event over a WebSocket */
async function sayBySocket(base, event) {
  const socket = io(base, { transports: ['websocket'], reconnection: false, forceNew: true });
  try {
    return await new Promise((resolve, reject) => {
      socket.on('connect_error', reject);
      // Nest answers with an event of that name, Socket.IO by the acknowledgement.
      socket.on(event, resolve);
      socket.timeout(10_000).emit(event, 'hello', (error, answer) => {
        if (answer !== undefined) resolve(answer);
        else if (error) reject(error);
      });
    });
  } finally {
    socket.close();
  }
}

/** @returns what is wrong, in words, and how its workers ended */
async function tryClass(program, nodes, workerClass) {
  const wrong = [];
  let tsgun;
  try {
    tsgun = await serveByTsgun({ ...program, file: program.ours ?? program.file }, workerClass);
  } catch (error) {
    return { wrong: [error.message], ends: [] };
  }
  try {
    for (const question of program.ask) wrong.push(...(await compare(nodes, tsgun.base, question, program.changes)));
    if (program.socket !== undefined) {
      const [theirs, ours] = [await sayBySocket(nodes, program.socket), await sayBySocket(tsgun.base, program.socket)];
      if (theirs !== ours)
        wrong.push(`by WebSocket ${JSON.stringify(theirs)} under node, ${JSON.stringify(ours)} here`);
    }
    const { status } = await ask(nodes, program.ask[0]);
    const load = askOn(tsgun.base, program.ask[0], status);
    await load.atLeast(aroundReload);
    tsgun.signal('SIGHUP');
    await tsgun.until('reload_finished', 1);
    await tsgun.until('worker_exited', 2);
    await load.atLeast(aroundReload);
    await load.stop();
    if (load.failures.length > 0)
      wrong.push(
        `${load.failures.length} of ${load.count()} requests lost at a reload: ${[...new Set(load.failures)].join(', ')}`,
      );
  } catch (error) {
    wrong.push(error.message);
  }
  const end = await tsgun.stop();
  if (end !== 0) wrong.push(`TERM ended it with ${end}`);
  const ends = tsgun.log.filter(({ event }) => event === 'worker_exited').map(({ code, signal }) => signal ?? code);
  return { wrong, ends };
}

function isOld(lowest = '0') {
  const [major, minor = 0] = lowest.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

const classes = values.classes.split(',');
const rows = [];
for (const program of programs) {
  const { name, node } = program;
  if (positionals.length > 0 && !positionals.some((part) => name.toLowerCase().includes(part.toLowerCase()))) continue;
  if (isOld(node)) {
    rows.push([name, program.ours ?? program.file, ...classes.map(() => `needs Node ${node}`)]);
    continue;
  }
  const cells = [];
  let place;
  try {
    const made = await make(program);
    place = made.place;
    const itself = { ...program, cwd: made.cwd };
    const nodes = await serveByNode(itself);
    const tried = [];
    let nodesEnd;
    try {
      for (const workerClass of classes) tried.push(await tryClass(itself, nodes.base, workerClass));
    } finally {
      nodesEnd = await nodes.stop();
    }
    for (const [index, { wrong, ends }] of tried.entries()) {
      // Without shutdown code node ends by the signal, and a worker by itself.
      const other = ends.find((end) => end !== 0 && end !== nodesEnd);
      if (other !== undefined) wrong.push(`a worker ended with ${other}, node with ${nodesEnd}`);
      cells.push(wrong.length === 0 ? 'yes' : 'no');
      for (const each of wrong) console.error(`${name}, ${classes[index]}: ${each}`);
      if (wrong.length > 0) process.exitCode = 1;
    }
    if (!values.keep) rmSync(place, { recursive: true, force: true });
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
    cells.push('did not run');
  }
  rows.push([name, program.ours ?? program.file, ...cells]);
  console.error(rows.at(-1).join(' | '));
}
console.log(`Node ${process.version}\n`);
console.log(`| program | file | ${classes.join(' | ')} |`);
console.log(`|---|---|${classes.map(() => '---|').join('')}`);
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
