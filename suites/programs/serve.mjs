/** Starts a program under node or under tsgun on a free port, and ends it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const patienceMs = 60_000;

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @returns its address, once it answers, and `stop` */
export async function serveByNode({ file, args = [], env = {}, cwd }) {
  const port = await freePort();
  const child = spawn(process.execPath, [file, ...args.map((arg) => arg.replace('PORT', port))], {
    cwd,
    env: { ...process.env, NODE_ENV: 'production', ...env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = gather(child);
  const base = `http://127.0.0.1:${port}`;
  const until = Date.now() + patienceMs;
  while (!(await answers(base))) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`node ${file} is not up:\n${said().slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  /** @returns the code or the signal that TERM ends it with */
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const [code, signal] = await ended;
    clearTimeout(timer);
    return signal ?? code;
  };
  return { base, stop };
}

function answers(base) {
  return fetch(base, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) }).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );
}

/** @returns its address, its log so far, and what sends it signals and waits for lines of its log */
export async function serveByTsgun({ file, args = [], env = {}, cwd }, workerClass) {
  const ours = [command, file, '--bind', '127.0.0.1:0', '--workers', '2', '--log-format', 'json', '--threads', '2'];
  const child = spawn(
    process.execPath,
    [
      ...ours,
      '--worker-class',
      workerClass,
      '--control-socket',
      'none',
      '--',
      ...args.map((arg) => arg.replace('PORT', '0')),
    ],
    { cwd, env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = once(child, 'exit');
  const said = gather(child);
  const log = [];
  const waiting = new Set();
  createInterface({ input: child.stderr }).on('line', (line) => {
    // A program may have left a line of its own open.
    const start = line.indexOf('{"level"');
    if (start === -1) return;
    try {
      log.push(JSON.parse(line.slice(start)));
    } catch {
      return;
    }
    for (const check of waiting) check();
  });
  const count = (event) => log.filter((line) => line.event === event).length;
  /** Waits for that many lines of an event. */
  const until = (event, wanted) =>
    new Promise((resolve, reject) => {
      const done = (error) => {
        waiting.delete(check);
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      const check = () => {
        if (count(event) >= wanted) done();
      };
      const timer = setTimeout(() => done(new Error(`no ${event} in time:\n${said().slice(-3000)}`)), patienceMs);
      void exited.then(([code, signal]) =>
        done(new Error(`tsgun ended with ${signal ?? code}:\n${said().slice(-3000)}`)),
      );
      waiting.add(check);
      check();
    });
  await until('worker_ready', 2).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  const { url } = log.find(({ event }) => event === 'listening');
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const [code, signal] = await exited;
    clearTimeout(timer);
    return signal ?? code;
  };
  return { base: url, log, until, count, signal: (name) => child.kill(name), stop };
}

function gather(child) {
  let text = '';
  const take = (bytes) => {
    text = (text + bytes).slice(-20_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return () => text;
}
