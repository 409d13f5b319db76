/** A peer that runs: started on its cores, asked until it answers, reloaded by its own means, and stopped. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from './certificate.mjs';
import { coreBusyMs, isOf, processesOf, processTree } from './processes.mjs';
import { benchPath, fetchOnce, freePort } from './servers.mjs';

const bootMs = 60_000;
const stopMs = 15_000;
const cores = availableParallelism();
/** The load has the last core to itself. */
export const loadCores = String(cores - 1);
export const serverCoreCount = Math.max(1, cores - 1);
export const serverCores = cores <= 2 ? '0' : `0-${cores - 2}`;

/** How long the server's cores and the load's have been busy, for whomever. @returns {[server: number, load: number]} */
export function busyMs() {
  const [first, last = first] = serverCores.split('-').map(Number);
  let all = 0;
  for (let core = first; core <= last; core++) all += coreBusyMs(core);
  return [all, coreBusyMs(Number(loadCores))];
}

/**
 * @typedef {object} Place what a peer's command is made of
 * @property {number} port
 * @property {number} workers
 * @property {string} folder its own, for what it writes
 * @property {{ certfile: string, keyfile: string }} [certificate] then it serves over TLS
 * @property {boolean} [isHttp2] it speaks HTTP/2 beside HTTP/1.1
 * @property {number} [canarySeconds] a new release is on trial for so long, by those that have a setting for it
 * @property {number} [maxConnections] that a worker must hold
 * @property {number} [maxMemoryMib] of a worker, by those that have a setting for it
 * @property {number} [maxRequests] of a worker, by those that can limit nothing but these
 * @property {boolean} [shedsLoad] where it can
 * @property {string} [logTo] it logs its requests, and all goes there
 *
 * @typedef {Omit<Place, 'port' | 'workers' | 'folder' | 'certificate'> & { isBadDay?: boolean, maxFiles?: number, isSecure?: boolean }} Means what a scenario needs
 *
 * @typedef {object} Peer
 * @property {string} id in the command line and the results
 * @property {string} name on the page
 * @property {'tsgun' | 'Node' | 'other'} kind the colour of its bars
 * @property {string} about how it is configured
 * @property {() => Record<string, string>} find versions of all that it consists of; throws `Missing`
 * @property {(place: Place) => { command: string[], env?: Record<string, string> }} command
 * @property {boolean} [needsSupervisor] it has no master of its own: on bad days it runs under `supervise.mjs`
 * @property {boolean} [sharesPort] the supervisor starts as many of it as there are workers; without it one
 * @property {(server: PeerServer) => Promise<void> | void} [reload] HUP to what was started, if it is not said
 * @property {boolean} [hasThreads] its workers are threads, or it has none
 * @property {boolean} [isDetached] its processes do not descend from what was started
 * @property {boolean} [renewsItself] it reads a certificate anew when its files change
 * @property {(server: PeerServer) => number[]} [workersOf] pids; the children of what was started, if it is not said
 * @property {Record<string, string>} [lacks] scenarios in which it cannot take part, and why
 */

/** @type {Set<PeerServer>} */
const running = new Set();

/** For the end of the runner amid a turn: no server may outlive it. */
export const stopAll = () => Promise.all([...running].map((server) => server.stop()));

export class PeerServer {
  /** @param {Peer} peer @param {Place} place */
  constructor(peer, place, child, logFile, env, supervised) {
    Object.assign(this, { peer, place, child, logFile, env, supervised });
    this.isSupervised = supervised > 0;
    this.port = place.port;
    this.url = `${place.certificate === undefined ? 'http' : 'https'}://127.0.0.1:${place.port}/`;
    this.pid = child.pid;
    running.add(this);
  }

  log() {
    return readFileSync(this.logFile, 'utf8');
  }

  /** What the next load of the app reads. */
  setRelease(name) {
    writeFileSync(join(this.place.folder, 'release'), `${name}\n`);
  }

  async reload() {
    if (this.isSupervised || this.peer.reload === undefined) this.child.kill('SIGHUP');
    else await this.peer.reload(this);
  }

  /** @returns {number[]} */
  workers() {
    if (this.peer.workersOf !== undefined && !this.isSupervised) return this.peer.workersOf(this);
    const children = processTree(this.pid).slice(1);
    return children.filter((pid) => parentOf(pid) === this.pid);
  }

  /** All of its processes, without the supervisor. */
  processes() {
    if (this.peer.isDetached) return processesOf(this.place.folder);
    const tree = processTree(this.pid);
    return this.isSupervised ? tree.slice(1) : tree;
  }

  async stop() {
    running.delete(this);
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      // What outlives its master would load the machine in the next turn.
      const tree = this.peer.isDetached ? this.processes() : processTree(child.pid);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await exited;
      clearTimeout(timer);
      for (const pid of tree) killLeftOver(pid, this.place.folder);
    }
    rmSync(this.place.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * @param {Peer} peer
 * @param {number} workers
 * @param {Means} [means]
 * @returns {Promise<PeerServer & { startMs: number }>} with the time until its first answer
 */
export async function startPeer(peer, workers, { isBadDay = false, maxFiles, isSecure = false, ...wishes } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  const place = { port: await freePort(), workers, folder, ...wishes };
  if (isSecure) place.certificate = makeCertificate(folder, 'first.example');
  writeFileSync(join(folder, 'release'), 'release-01\n');
  const { command, env: own } = peer.command(place);
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    RELEASE_FILE: join(folder, 'release'),
    BENCH_FOLDER: folder,
    ...own,
  };
  const count = peer.sharesPort === true ? workers : 1;
  const isSupervised = peer.needsSupervisor === true && (isBadDay || count > 1);
  const supervisor = isSupervised ? [process.execPath, benchPath('lib/supervise.mjs'), String(count)] : [];
  const logFile = join(folder, 'log');
  writeFileSync(logFile, '');
  const output = openSync(wishes.logTo ?? logFile, 'a');
  const startedAt = performance.now();
  const limit = maxFiles === undefined ? [] : ['prlimit', `--nofile=${maxFiles}:${maxFiles}`];
  const child = spawn('taskset', ['-c', serverCores, ...limit, ...supervisor, ...command], {
    ...{ stdio: ['ignore', output, output], cwd: folder, env },
  });
  closeSync(output);
  const server = new PeerServer(peer, place, child, logFile, env, isSupervised ? count : 0);
  while ((await fetchOnce(server.url).catch(() => undefined))?.status !== 200) {
    if (child.exitCode === null && performance.now() - startedAt < bootMs) {
      await sleep(2);
      continue;
    }
    const said = server.log();
    await server.stop();
    throw new Error(`does not start: ${said.slice(-2000)}`);
  }
  return Object.assign(server, { startMs: performance.now() - startedAt });
}

/** All workers, and not the first alone. */
export async function allWorkers(server) {
  const deadline = performance.now() + bootMs;
  const { peer, place, supervised, isSupervised } = server;
  const count = isSupervised ? supervised : peer.hasThreads ? 0 : place.workers;
  while (server.workers().length < count) {
    if (performance.now() > deadline) return;
    await sleep(50);
  }
  await sleep(500);
}

function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return 0;
  }
}

/** Only what is still the same process: its environment names the folder of this turn. */
function killLeftOver(pid, folder) {
  if (!isOf(pid, folder)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
