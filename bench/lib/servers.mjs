/** Starts a contestant on its own core, waits until it answers, and stops it again. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { nginxCommand } from './nginx.mjs';
import { processTree } from './processes.mjs';

export const serverCore = 0;
export const loadCore = 1;
const bootMs = 10_000;
const stopMs = 5000;

/** @param {string} path below bench/ */
export const benchPath = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {number} port
 * @property {number} pid of the process that was started
 * @property {number} workerPid of the one that serves
 * @property {() => string} log what it printed
 * @property {() => Promise<void>} stop
 */

/**
 * A way to start a server for an app of bench/apps.
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(app: string, port: number, directory: string) => string[]} command
 * @property {string} [cores] that it may use, as taskset takes them; without it, one
 */

/**
 * @param {string} cli the built command, which may be another checkout's
 * @param {string} [name]
 * @param {readonly string[]} [options]
 * @param {string} [folder] with the apps
 * @returns {Contestant}
 */
export function tsgun(
  cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url)),
  name = 'tsgun',
  options = [],
  folder = 'apps',
) {
  const command = (app, port) => [
    ...[process.execPath, cli, benchPath(`${folder}/${app}.js`), '--bind', `127.0.0.1:${port}`, '--workers', '1'],
    ...options,
  ];
  return { name, command };
}

/** Where the same apps are for each interface. */
const folders = { wsgi: 'apps', node: 'node', fetch: 'fetch' };

/** @param {keyof typeof folders} name @param {string} [cli] */
export function tsgunAs(name, cli) {
  return tsgun(cli, name === 'wsgi' ? 'tsgun' : `tsgun, ${name}`, ['--interface', name], folders[name]);
}

/** @type {Contestant} */
export const nodeHttp = {
  name: 'node:http',
  command: (app, port) => [process.execPath, benchPath('node/serve.js'), app, String(port)],
};

/** Answers as apps/hello.js does, whatever the app. @type {Contestant} */
export const nginx = { name: 'nginx', command: (_app, port, folder) => nginxCommand({ folder, port }) };

/** As `startServer`, of a server over TLS. */
export function startSecure(contestant, app) {
  const ask = (url) =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
      socket.once('secureConnect', () => resolve(socket.destroy())).once('error', reject);
    });
  return startServer(contestant, app, String(serverCore), 'https', ask);
}

/**
 * @param {Contestant} contestant
 * @param {string} app
 * @param {string} [cores] that the server may use, as taskset takes them
 * @param {string} [scheme]
 * @param {(url: string) => Promise<unknown>} [ask] fails where it does not answer
 * @returns {Promise<Server>}
 */
export async function startServer(
  { name, command, cores: own },
  app,
  cores = own ?? String(serverCore),
  scheme = 'http',
  ask = fetchOnce,
) {
  const directory = mkdtempSync(join(tmpdir(), 'tsgun-bench-'));
  const port = await freePort();
  const logFile = join(directory, 'log');
  const output = openSync(logFile, 'a');
  const child = spawn('taskset', ['-c', cores, ...command(app, port, directory)], {
    stdio: ['ignore', output, output],
  });
  const log = () => readFileSync(logFile, 'utf8');
  const stop = () => stopServer(child, directory);
  const url = `${scheme}://127.0.0.1:${port}/`;
  const deadline = Date.now() + bootMs;
  while ((await ask(url).catch(() => undefined)) === undefined) {
    if (child.exitCode === null && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    const said = log();
    await stop();
    throw new Error(`${name} does not answer for ${app}:\n${said}`);
  }
  const { pid } = child;
  return { url, port, pid, workerPid: processTree(pid).at(-1), log, stop };
}

/** Ends the process that was started, by its id, and waits for it. */
async function stopServer(child, directory) {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await exited;
    clearTimeout(timer);
  }
  rmSync(directory, { recursive: true, force: true });
}

/**
 * One request on a connection of its own.
 * @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer }>}
 */
export function fetchOnce(url, options = {}) {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? getSecurely : get;
    const request = ask(
      url,
      { agent: false, timeout: 30_000, rejectUnauthorized: false, ...options },
      async (response) => {
        try {
          const body = Buffer.concat(await response.toArray());
          resolve({ status: response.statusCode, headers: response.headers, body });
        } catch (error) {
          reject(error);
        }
      },
    );
    request.on('error', reject).on('timeout', () => request.destroy(new Error(`${url} did not answer`)));
  });
}

/** @returns {Promise<number>} */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
