/** What a scenario works with: a load that runs beside it, and a place for what it finds. */

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge, printTable } from '../lib/report.mjs';
import { benchPath, freePort, loadCore } from '../lib/servers.mjs';
import { emptyTally, wallMs } from './client.mjs';
import { Server } from './server.mjs';

const shownFailures = 20;
const endMs = 15_000;

/** Numbers of clients, from the command line. @typedef {{ keepAlive: number, close: number, thinkers: number, prefix?: string }} Clients */

/** A load generator on its own core. */
export class Load {
  tally = emptyTally();
  /** @type {import('./client.mjs').Failure[]} */
  failures = [];
  startedAt = wallMs();
  endedAt = undefined;

  constructor(port, clients, cores = String(loadCore)) {
    const command = [process.execPath, benchPath('storm/load.mjs'), JSON.stringify({ port, ...clients })];
    this.child = spawn('taskset', ['-c', cores, ...command], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.on('message', (message) => {
      if (message.type === 'failure') this.failures.push(message.failure);
      else this.tally = message.tally;
    });
  }

  noMoreConnections() {
    if (this.child.connected) this.child.send('no-more-connections');
  }

  /** Until so many requests have been answered rightly. */
  async answered(count, ms = 60_000) {
    const deadline = wallMs() + ms;
    while (this.tally.ok < count) {
      if (wallMs() > deadline) throw new Error(`${this.tally.ok} answers after ${ms} ms, waited for ${count}`);
      await sleep(50);
    }
  }

  /** Lets every client have its last answer. */
  async stop() {
    this.endedAt ??= wallMs();
    if (this.child.connected) this.child.send('stop');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), endMs);
    await this.ended;
    clearTimeout(timer);
  }
}

/** One scenario's run. */
export class Storm {
  /** @type {{ label: string, load: Load, server: Server }[]} */
  loads = [];
  servers = [];
  verdicts = [];

  /** @param {string} name @param {Clients} clients @param {{ seed: number, withUsr2: boolean }} options */
  constructor(name, clients, options) {
    Object.assign(this, { name, clients, options });
  }

  async start(options, app) {
    const server = await Server.start(options, app);
    this.servers.push(server);
    return server;
  }

  /** A server whose start the scenario sees to. */
  async prepareServer() {
    const server = new Server(await freePort());
    this.servers.push(server);
    return server;
  }

  load(server, label = this.name) {
    const load = new Load(server.port, this.clients);
    this.loads.push({ label, load, server });
    return load;
  }

  say(text) {
    console.log(text);
  }

  verdict(claim, isMet) {
    this.verdicts.push([claim, isMet]);
  }

  /** The usual one. */
  nothingLost(load) {
    this.verdict(`0 of ${load.tally.sent} requests failed`, load.tally.sent > 0 && load.failures.length === 0);
  }

  async end() {
    for (const { load } of this.loads) await load.stop();
    for (const server of this.servers) await server.stop();
  }

  report() {
    const rows = this.loads.map(({ label, load }) => row(label, load));
    const heading = [
      ' ',
      'seconds',
      'requests',
      'per second',
      'answered',
      'failed',
      'connections',
      'asked to close',
      'longest',
    ];
    if (rows.length > 0) printTable([heading, ...rows]);
    for (const { load, server } of this.loads) printFailures(load, server);
    for (const [claim, isMet] of this.verdicts) judge(claim, isMet);
    console.log();
  }
}

function row(label, { tally, failures, startedAt, endedAt }) {
  const seconds = ((endedAt ?? wallMs()) - startedAt) / 1000;
  return [
    ...[label, seconds.toFixed(1), String(tally.sent), (tally.sent / seconds).toFixed(0), String(tally.ok)],
    ...[String(failures.length), String(tally.opened), String(tally.announced), `${tally.longestMs.toFixed(0)} ms`],
  ];
}

/** How many of each kind, and of the first ones everything. */
export function printFailures({ failures, startedAt }, server) {
  if (failures.length === 0) return;
  const kinds = groupByKind(failures);
  console.log(`Failed: ${Array.from(kinds, ([kind, { length }]) => `${length} × ${kind}`).join(', ')}\n`);
  for (const failure of failures.slice(0, shownFailures)) {
    const { kind, detail, client, at, openedAt, request, pid } = failure;
    const signal = server.lastSignal(at);
    const since = signal === undefined ? 'before any signal' : `${(at - signal.at).toFixed(0)} ms after ${signal.name}`;
    console.log(
      `- ${kind} (${detail}): ${client} client, ${(at - startedAt).toFixed(0)} ms after the start, ${since}; request ` +
        `${request} of a connection ${(at - openedAt).toFixed(0)} ms old, ${pid === 0 ? 'nothing answered on it before' : `served by ${pid} before`}`,
    );
  }
  if (failures.length > shownFailures) console.log(`- … and ${failures.length - shownFailures} more`);
  console.log();
}

function groupByKind(failures) {
  const kinds = new Map();
  for (const failure of failures) kinds.set(failure.kind, [...(kinds.get(failure.kind) ?? []), failure]);
  return kinds;
}
