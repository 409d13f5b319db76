/** What others wait while a process of its own attacks a worker of tsgun, and what the worker's memory comes to. */

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, forgetPeak, residentBytes } from './processes.mjs';

/**
 * @param {string} cli the built command
 * @param {readonly string[]} args of tsgun, with one bind on a free port
 * @returns the port, the worker's process, the log's records, and what ends it
 */
export async function startLogged(cli, args) {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TSGUN_LOG_FORMAT: 'json' },
  });
  const log = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
  const record = async (event) => {
    for (;;) {
      const found = log.find((each) => each.event === event);
      if (found !== undefined) return found;
      if (child.exitCode !== null)
        throw new Error(`tsgun ended:\n${log.map((each) => JSON.stringify(each)).join('\n')}`);
      await sleep(20);
    }
  };
  const { url } = await record('listening');
  const { pid } = await record('worker_ready');
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { port: Number(new URL(url).port), pid, master: child.pid, log, stop };
}

/**
 * @template T
 * @param {object} options
 * @param {string} options.cli
 * @param {readonly string[]} options.args of tsgun
 * @param {((port: number) => readonly string[]) | undefined} options.attack arguments of the bench itself, as the attacker, who
 * sends its parent `begun`; undefined for no attack
 * @param {number} options.seconds
 * @param {(port: number, ms: number) => Promise<T>} options.measure
 */
export async function underAttack({ cli, args, attack, seconds, measure }) {
  const { port, pid, master, log, stop } = await startLogged(cli, args);
  await measure(port, 1000);
  forgetPeak(pid);
  const attacker = attack === undefined ? undefined : fork(process.argv[1], attack(port));
  if (attacker !== undefined) await once(attacker, 'message');
  const before = cpuMs(master);
  const measured = await measure(port, seconds * 1000);
  const cpuShare = (cpuMs(master) - before) / (seconds * 1000);
  attacker?.kill();
  const memory = `${(residentBytes(pid, 'VmHWM') / 2 ** 20).toFixed(0)} MiB`;
  const ended = log.filter(({ event }) => event === 'worker_exited').length;
  await stop();
  return { measured, memory, cpuShare, ended };
}

/** Asks again and again. @returns how long each took, in milliseconds, in ascending order */
export async function waitsOf(ask, ms) {
  const waits = [];
  for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) {
    const began = performance.now();
    if ((await ask()) !== false) waits.push(performance.now() - began);
  }
  return waits.sort((a, b) => a - b);
}

/** @param {readonly number[]} waits in ascending order */
export const quantile = (waits, share) =>
  waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Number.NaN;

export const shown = (ms) => `${ms.toFixed(1)} ms`;
