/** Servers of several processes, on all cores, and a load beside them: what is compared shares the machine with it alike. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchPath, fetchOnce, freePort } from './servers.mjs';

/** @param {string} path below the repository */
export const command = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @typedef {(port: number) => string[]} Pool the command line */

/** @returns {Pool} */
export const tsgunPool = (workerClass, app, workers, options = []) => {
  const common = [process.execPath, command('dist/cli.js'), app, '--worker-class', workerClass];
  return (port) => [...common, '--bind', `127.0.0.1:${port}`, '--workers', String(workers), ...options];
};

/** @returns {Pool} */
export const nodeCluster = (policy, workers) => (port) => [
  ...[process.execPath, benchPath('node/cluster.mjs'), String(workers), String(port), policy],
];

/** @returns {Pool} */
export const gunicorn =
  (workers, app = 'fib:app') =>
  (port) => [
    ...['gunicorn', '-k', 'sync', '-w', String(workers), '-b', `127.0.0.1:${port}`, '--chdir', benchPath('apps'), app],
  ];

export const isThere = (name) => spawnSync('which', [name]).status === 0;

/** Starts it, and waits until it answers. @param {Pool} pool */
export async function onAllCores(pool) {
  const port = await freePort();
  const [file, ...args] = pool(port);
  const child = spawn(file, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}/`;
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const deadline = Date.now() + 10_000;
  while ((await fetchOnce(`${url}1`).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${args.join(' ')} does not answer`);
    }
    await sleep(50);
  }
  // All workers, and not the first alone.
  await sleep(500);
  return { url, port, pid: child.pid, stop, load: (script, path, seconds) => load(`${url}${path}`, script, seconds) };
}

/** Requests per second of 32 connections. @throws Error when one was not answered as it should */
function load(url, script, seconds) {
  const args = ['-t1', '-c32', `-d${seconds}s`, '-s', benchPath(`wrk/${script}.lua`), url];
  const text = execFileSync('wrk', args, { encoding: 'utf8' });
  const errors = text.match(/Socket errors: .*|Non-2xx .*/g);
  if (errors !== null) throw new Error(`${url}: ${errors.join('; ')}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}
