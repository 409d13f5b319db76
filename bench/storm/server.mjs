/** The command under test, in a folder of its own, with its log read as it comes. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { benchPath, freePort, serverCore } from '../lib/servers.mjs';
import { wallMs } from './client.mjs';

const cli = benchPath('../dist/cli.js');
const defaultWaitMs = 60_000;

/** Whether the command knows an option; some scenarios are ahead of it. */
export function knows(option) {
  return execFileSync(process.execPath, [cli, '--help'], { encoding: 'utf8' }).includes(option);
}

export class Server {
  /** Every line of the log: its fields, and when it was read as `readAt`. */
  log = [];
  /** What was printed that is not JSON. */
  text = [];
  /** @type {{ name: string, at: number }[]} */
  signals = [];
  exit = undefined;
  watchers = new Set();

  /**
   * @param {readonly string[]} options of the command
   * @param {string} [app] the app's code
   */
  static async start(options, app = goodApp('v1')) {
    const server = new Server(await freePort());
    server.spawn(options, app);
    await server.event('listening');
    return server;
  }

  constructor(port) {
    this.port = port;
    this.directory = mkdtempSync(join(tmpdir(), 'tsgun-storm-'));
  }

  spawn(options, app = goodApp('v1')) {
    this.write('app.mjs', app);
    const command = [process.execPath, cli, 'app.mjs', '--bind', `127.0.0.1:${this.port}`, '--log-format', 'json'];
    this.child = spawn('taskset', ['-c', String(serverCore), ...command, ...options], {
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.pid = this.child.pid;
    createInterface({ input: this.child.stderr }).on('line', (line) => {
      if (line.startsWith('{')) this.log.push({ ...JSON.parse(line), readAt: wallMs() });
      else this.text.push(line);
      for (const watch of this.watchers) watch();
    });
    this.child.once('exit', (code, signal) => {
      this.exit = { code, signal };
      for (const watch of this.watchers) watch();
    });
  }

  path(name) {
    return join(this.directory, name);
  }

  write(name, text) {
    writeFileSync(this.path(name), text);
  }

  /** A file of its folder; '' where there is none. */
  read(name) {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  lines(event) {
    return this.log.filter((line) => line.event === event);
  }

  /** The lines of an event that were read after a moment. */
  linesSince(event, at) {
    return this.log.filter((line) => line.event === event && line.readAt >= at);
  }

  /** Waits for a condition on the log. */
  async until(condition, what, ms = defaultWaitMs) {
    if (condition()) return;
    await new Promise((resolve, reject) => {
      const settle = (end) => {
        clearTimeout(timer);
        this.watchers.delete(check);
        end();
      };
      const check = () => {
        if (condition()) settle(resolve);
        else if (this.exit !== undefined) settle(() => reject(new Error(`ended before ${what}:\n${this.tail()}`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`no ${what} in ${ms} ms:\n${this.tail()}`))), ms);
      this.watchers.add(check);
      check();
    });
  }

  /** Waits until there are `count` lines of an event in all; gives the last of them. */
  async event(name, count = 1, ms = defaultWaitMs) {
    await this.until(() => this.lines(name).length >= count, `${count} × ${name}`, ms);
    return this.lines(name)[count - 1];
  }

  /** Workers that are ready and have not exited, by the log. */
  ready() {
    const gone = new Set(this.lines('worker_exited').map(({ pid }) => pid));
    return this.lines('worker_ready')
      .map(({ pid }) => pid)
      .filter((pid) => !gone.has(pid));
  }

  /** @param {number} [pid] the master by default */
  signal(name, pid = this.pid) {
    this.signals.push({ name: pid === this.pid ? name : `${name} to ${pid}`, at: wallMs() });
    process.kill(pid, name);
  }

  lastSignal(before) {
    return this.signals.findLast(({ at }) => at <= before);
  }

  /** Processes of this server that are still there, though it has exited. */
  leftBehind() {
    return this.lines('worker_spawned')
      .map(({ pid }) => pid)
      .filter((pid) => stateOf(pid) !== undefined);
  }

  /** Children that are dead and were not waited for. */
  zombies() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const { state, parent } = stateOf(pid) ?? {};
        return state === 'Z' && parent === this.pid;
      });
  }

  tail() {
    return [...this.text, ...this.log.map(({ readAt, ...line }) => JSON.stringify(line))].slice(-30).join('\n');
  }

  async exited(ms = defaultWaitMs) {
    const isOver = () => this.exit !== undefined;
    await this.until(isOver, 'exit', ms);
    return this.exit;
  }

  /** Ends it, whatever state it is in, and cleans up. */
  async stop() {
    if (this.exit === undefined) {
      this.signal('SIGTERM');
      await this.exited(10_000).catch(() => {});
    }
    if (this.exit === undefined) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
    for (const pid of this.leftBehind()) process.kill(pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Of a process that is there. After the name, which may hold anything, come its state and its parent. */
function stateOf(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** The app of apps/storm.js, saying this version. */
export function goodApp(version) {
  const { href } = pathToFileURL(benchPath('apps/storm.js'));
  return `import { storm } from ${JSON.stringify(href)};\nexport default storm(${JSON.stringify(version)});\n`;
}
