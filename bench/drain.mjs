/**
 * Rolling stops behind a load balancer: two instances behind HAProxy, which checks their `/readyz` and never tries a request a
 * second time. Under load, one instance after the other is stopped by TERM and started anew. What do the clients see?
 *
 *   node bench/drain.mjs [stops]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, isThere } from './lib/pools.mjs';
import { judge, printMachine, printTable } from './lib/report.mjs';
import { benchPath, freePort } from './lib/servers.mjs';

const stops = Number(process.argv[2] ?? 10);
const clients = 16;
const checkMs = 250;
const drainDelaySeconds = 1.5;
/** After this, an instance counts as lost. */
const patienceMs = 20_000;

if (!isThere('haproxy')) throw new Error('haproxy is missing: apt-get install haproxy');
const folder = mkdtempSync(join(tmpdir(), 'tsgun-drain-'));
const [front, ...ports] = await freePorts(5);
const instances = [
  { port: ports[0], admin: ports[1] },
  { port: ports[2], admin: ports[3] },
];
printMachine();
const rows = [[`${clients} clients, ${stops} rolling stops`, 'requests', 'failed', 'of these']];
for (const [name, delay] of [
  ['without --drain-delay', 0],
  [`--drain-delay ${drainDelaySeconds}`, drainDelaySeconds],
]) {
  const { requests, failures } = await roll(delay);
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...failures].map(([kind, count]) => `${count} × ${kind}`).join(', ');
  rows.push([name, String(requests), String(failed), kinds || '–']);
  if (delay > 0) judge(`no request fails in ${stops} rolling stops, though HAProxy retries none`, failed === 0);
}
rmSync(folder, { recursive: true });
console.log();
printTable(rows);

async function roll(delay) {
  const running = [];
  let haproxy;
  let isLoading = true;
  try {
    for (const instance of instances) running.push(await startInstance(instance, delay));
    haproxy = await startHaproxy();
    const seen = { requests: 0, failures: new Map() };
    const load = Array.from({ length: clients }, (_, index) => client(index, seen, () => isLoading));
    await sleep(1000);
    for (let stop = 0; stop < stops; stop++) {
      const which = stop % instances.length;
      await end(running[which]);
      running[which] = await startInstance(instances[which], delay);
      // HAProxy wants two good checks before it sends requests there again. Until then the other one must not stop.
      await until(async () => (await statesOfServers()).every((state) => state === 'UP'));
    }
    isLoading = false;
    await Promise.all(load);
    return seen;
  } finally {
    isLoading = false;
    await Promise.all([...running, haproxy].filter(Boolean).map(end));
  }
}

/** Half of the clients keep their connections. */
async function client(index, seen, goesOn) {
  const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: false });
  while (goesOn()) {
    const outcome = await ask(agent);
    seen.requests++;
    if (outcome !== '200') seen.failures.set(outcome, (seen.failures.get(outcome) ?? 0) + 1);
    await sleep(2);
  }
  agent.destroy();
}

function ask(agent) {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: front, path: '/', agent }, (response) => {
      response.on('error', () => resolve('answer cut')).on('end', () => resolve(String(response.statusCode)));
      response.resume();
    });
    asked.on('error', ({ code }) => resolve(code)).end();
  });
}

async function startInstance({ port, admin }, delay) {
  const args = ['--bind', `127.0.0.1:${port}`, '--admin-bind', `127.0.0.1:${admin}`, '--drain-delay', String(delay)];
  const child = spawn(
    process.execPath,
    [command('dist/cli.js'), benchPath('apps/hello.js'), '--workers', '2', ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TSGUN_LOG_LEVEL: 'error' },
    },
  );
  await until(async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200);
  return child;
}

async function startHaproxy() {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  retries 0
frontend front
  bind 127.0.0.1:${front}
  stats enable
  stats uri /haproxy
  default_backend tsgun
backend tsgun
  option httpchk GET /readyz
  default-server check inter ${checkMs}ms fall 1 rise 2
${instances.map(({ port, admin }, index) => `  server tsgun${index} 127.0.0.1:${port} port ${admin}`).join('\n')}
`,
  );
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await until(async () => (await fetch(`http://127.0.0.1:${front}/`)).status === 200);
  return child;
}

/** As HAProxy has them. */
async function statesOfServers() {
  const text = await (
    await fetch(`http://127.0.0.1:${front}/haproxy;csv`, { headers: { connection: 'close' } })
  ).text();
  const [names, ...lines] = text.split('\n').map((line) => line.split(','));
  const at = names.indexOf('status');
  return lines.filter(([, server]) => /^tsgun\d/.test(server ?? '')).map((fields) => fields[at]);
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(late);
}

async function until(check) {
  const deadline = performance.now() + patienceMs;
  while (!(await check().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('a server did not become ready');
    await sleep(50);
  }
}

async function freePorts(count) {
  const found = new Set();
  while (found.size < count) found.add(await freePort());
  return [...found];
}
