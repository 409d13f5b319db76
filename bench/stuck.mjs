/**
 * Every worker is in an endless loop: what the master still says of them, and how quickly. Then the same beside 1,000 idle
 * connections to the admin address. Each answer is judged: it must name each worker as unresponsive, with its request.
 *
 *   node bench/stuck.mjs [--workers N] [--rounds N]
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { command } from './lib/pools.mjs';
import { judge, median, printMachine, printTable } from './lib/report.mjs';
import { benchPath, fetchOnce, freePort } from './lib/servers.mjs';

const goalMs = 200;
const idleConnections = 1000;
const { values } = parseArgs({
  options: { workers: { type: 'string', default: '4' }, rounds: { type: 'string', default: '9' } },
});
const workers = Number(values.workers);

const isAll = (list, holds) => list.length === workers && list.every(holds);
const ms = (time) => `${time.toFixed(0)} ms`;

const folder = mkdtempSync(join(tmpdir(), 'tsgun-stuck-'));
const socketPath = join(folder, 'control.sock');
const [port, adminPort] = [await freePort(), await freePort()];
const options = [
  ...['--bind', `127.0.0.1:${port}`, '--workers', values.workers, '--timeout', '0'],
  ...['--admin-bind', `127.0.0.1:${adminPort}`, '--control-socket', socketPath],
];
const master = spawn(process.execPath, [command('dist/cli.js'), benchPath('apps/hang.js'), ...options], {
  stdio: 'ignore',
});
const admin = `http://127.0.0.1:${adminPort}`;

printMachine();
try {
  await until(async () => (await fetchOnce(`${admin}/readyz`)).status === 200);
  await hangAll();
  const held = [];
  const rows = [['every worker in an endless loop', 'median', 'longest', 'says each worker and its request']];
  await measureAll(rows, '');
  for (let count = 0; count < idleConnections; count++)
    held.push(connect(adminPort, '127.0.0.1').on('error', () => {}));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  await measureAll(rows, `, ${idleConnections} idle admin connections`);
  for (const socket of held) socket.destroy();
  console.log();
  printTable(rows);
} finally {
  master.kill('SIGQUIT');
  await once(master, 'exit');
  rmSync(folder, { recursive: true });
}

/** One request to each worker: one that loops accepts no more. */
async function hangAll() {
  for (let hung = 0; hung < workers; hung++) {
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .write('GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(async () => (await ask('status')).workers.filter(({ unresponsive }) => unresponsive).length > hung);
  }
}

async function measureAll(rows, beside) {
  const questions = {
    '/livez': async () => (await fetchOnce(`${admin}/livez`)).status === 200,
    '/readyz': async () => (await fetchOnce(`${admin}/readyz`)).status === 503,
    '/metrics': async () => {
      const text = await page('/metrics');
      return [`workers{state="unresponsive"}`, 'requests_in_flight'].every((name) =>
        text.includes(`tsgun_${name} ${workers}\n`),
      );
    },
    '/status': async () => isAll(JSON.parse(await page('/status')).workers, ({ unresponsive }) => unresponsive),
    'status, by the control socket': async () =>
      isAll((await ask('status')).workers, ({ unresponsive }) => unresponsive),
    'requests, by the control socket': async () =>
      isAll(await ask('requests'), ({ unresponsive, requests }) => unresponsive && requests[0]?.path === '/hang'),
    'stacks, by the control socket': async () => JSON.stringify(await ask('stacks')).split('hang.js').length > workers,
    'tsgun status': async () => (await run('status')).split('UNRESPONSIVE').length > workers,
    'tsgun requests': async () => (await run('requests')).split('/hang').length > workers,
    'tsgun stacks': async () => (await run('stacks')).split('hang.js').length > workers,
  };
  for (const [name, question] of Object.entries(questions)) {
    const times = [];
    let isRight = true;
    for (let round = 0; round < Number(values.rounds); round++) {
      const startedAt = performance.now();
      const isFine = await question();
      isRight &&= isFine;
      times.push(performance.now() - startedAt);
    }
    rows.push([name + beside, ms(median(times)), ms(Math.max(...times)), isRight ? 'yes' : 'NO']);
    judge(`${name}${beside}: right, and within ${goalMs} ms`, isRight && Math.max(...times) <= goalMs);
  }
}

async function page(path) {
  return (
    await fetchOnce(admin + path, { headers: { accept: path === '/status' ? 'application/json' : '*/*' } })
  ).body.toString();
}

/** The protocol of docs/control.md. */
async function ask(name) {
  const socket = connect(socketPath);
  socket.write(`${JSON.stringify({ version: 1, id: 1, command: name })}\n`);
  for await (const line of createInterface({ input: socket })) {
    socket.destroy();
    return JSON.parse(line).result;
  }
  throw new Error(`no answer to ${name}`);
}

function run(name) {
  return new Promise((resolve, reject) => {
    const words = [command('dist/cli.js'), name, '--control-socket', socketPath];
    execFile(process.execPath, words, (error, out) => (error === null ? resolve(out) : reject(error)));
  });
}

async function until(holds) {
  const deadline = Date.now() + 30_000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('waited 30 s in vain');
    await sleep(50);
  }
}
