/** Runs the real command in a process of its own, and lets a test wait for what its log says. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { commonFields, declarationOfEvent } from '../../src/log/events.ts';
import { inTime, onTestFinished } from '../current.ts';
import { Client } from '../http/client.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export { eventually } from '../current.ts';

export type LogLine = Record<string, unknown> & { event?: string; pid: number; msg: string };

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A folder of its own for a test's apps, gone after the test.
 * @param isShared for several tests: whoever made it removes it
 */
export function makeFolder(
  files: Record<string, string> = {},
  isShared = false,
): {
  path: string;
  write(name: string, text: string): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
  if (!isShared) onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  writeFiles(path, files);
  return { path, write: (name, text) => writeFiles(path, { [name]: text }) };
}

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In a process group of its own, to send signals to as a terminal does. */
  readonly isDetached?: boolean;
  /** Inherited from 3 on. */
  readonly descriptors?: readonly number[];
  /** A command that becomes the server, given its command line. */
  readonly through?: readonly string[];
  /** Another installation's `cli.js`. */
  readonly command?: string;
  /** For several tests: whoever started it stops it. */
  readonly isShared?: boolean;
}

export class Tsgun {
  readonly process: ChildProcess;
  /** Every line of the error log so far. */
  readonly log: LogLine[] = [];
  /** What was written that is not JSON. */
  readonly text: string[] = [];
  /** What `docs/log.md` does not have of these lines. */
  readonly undeclared: string[] = [];
  stdout = '';
  readonly exited: Promise<Exit>;
  /** Whether nobody is left who could write to the log; a successor may outlive the process. */
  private isClosed = false;
  private readonly watchers = new Set<() => void>();

  constructor(args: readonly string[], options: StartOptions = {}) {
    const [file, ...rest] = [...(options.through ?? []), process.execPath, options.command ?? command, ...args];
    this.process = spawn(file!, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(options.descriptors ?? [])],
      detached: options.isDetached ?? false,
    });
    this.process.stdout?.on('data', (bytes) => {
      this.stdout += bytes;
      for (const watch of this.watchers) watch();
    });
    createInterface({ input: this.process.stderr! }).on('line', (line) => this.take(line));
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code, signal) => {
        this.isClosed = true;
        resolve({ code, signal });
        for (const watch of this.watchers) watch();
      });
    });
    if (options.isShared !== true) onTestFinished(() => this.destroy());
  }

  get pid(): number {
    return this.process.pid!;
  }

  private take(line: string): void {
    if (line.startsWith('{')) {
      const entry = JSON.parse(line) as LogLine;
      this.log.push(entry);
      this.undeclared.push(...undeclaredIn(entry));
    } else this.text.push(line);
    for (const watch of this.watchers) watch();
  }

  lines(event: string): LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  /** Resolves as soon as the condition holds; rejects if the process ends before. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const holds = new Promise<void>((resolve, reject) => {
      const check = () => {
        if (condition()) resolve();
        else if (this.isClosed) reject(new Error(`tsgun ended before ${what}:\n${this.describe()}`));
        else return;
        this.watchers.delete(check);
      };
      this.watchers.add(check);
      check();
    });
    await inTime(holds, () => `${what}:\n${this.describe()}`);
  }

  /** Waits until there are `count` lines of an event in all. */
  async event(name: string, count = 1): Promise<LogLine> {
    await this.until(() => this.lines(name).length >= count, `${count} of ${name}`);
    return this.lines(name)[count - 1]!;
  }

  async url(path = '/'): Promise<string> {
    const { url } = await this.event('listening');
    return `${url}${path}`;
  }

  /** On a connection of its own: a kept one would have its worker wait for the client's end at a stop. */
  async get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await fetch(await this.url(path), { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  /** The answer's body over a connection of its own: of a worker that accepts now, not of one that finishes. */
  async ask(path = '/'): Promise<string> {
    const answer = await (await this.connect()).exchange(`GET ${path} HTTP/1.0\r\n\r\n`);
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  }

  async connect(allowHalfOpen = false): Promise<Client> {
    const { hostname, port } = new URL(await this.url());
    return Client.open(Number(port), hostname, allowHalfOpen);
  }

  /** Waits until `count` workers in all have become ready; gives the pids of those that live. */
  async workers(count: number): Promise<number[]> {
    await this.event('worker_ready', count);
    return this.living();
  }

  /** The workers that were spawned and have not exited, by the log. */
  living(): number[] {
    const gone = new Set(this.lines('worker_exited').map(({ pid }) => pid));
    return this.lines('worker_spawned')
      .map(({ pid }) => pid)
      .filter((pid) => !gone.has(pid));
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Stops the process that was started, and leaves a successor of it alone. */
  async retire(): Promise<Exit> {
    this.signal('SIGTERM');
    const [code, signal] = (await once(this.process, 'exit')) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  }

  /** Stops it and checks that nothing is left of it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.signal(signal);
    const exit = await inTime(this.exited, () => `the end of tsgun after ${signal}:\n${this.describe()}`);
    const left = this.lines('worker_spawned')
      .map(({ pid }) => pid)
      .filter(isAlive);
    if (this.undeclared.length > 0) throw new Error(`not in src/log/events.ts: ${this.undeclared.join(', ')}`);
    if (left.length > 0) throw new Error(`workers left behind: ${left.join(', ')}\n${this.describe()}`);
    return exit;
  }

  describe(): string {
    return [...this.text, ...this.log.map((line) => JSON.stringify(line))].join('\n');
  }

  private destroy(): void {
    const masters = this.lines('master_started').map(({ pid }) => pid);
    for (const pid of [this.pid, ...masters, ...this.living()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

/** Events, their levels and fields that are not declared. */
export function undeclaredIn({ event, ...line }: LogLine): string[] {
  if (event === undefined) return [];
  const declared = declarationOfEvent(event);
  if (declared === undefined) return [event];
  const known = [...commonFields, ...Object.keys(declared.fields)];
  const levels: readonly unknown[] = declared.levels;
  const fields = Object.keys(line).filter((field) => !known.includes(field));
  return [...fields, ...(levels.includes(line.level) ? [] : [String(line.level)])].map((each) => `${event}.${each}`);
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Starts the command on a free port. */
export function start(app: string, args: readonly string[] = [], options: StartOptions = {}): Tsgun {
  return new Tsgun([app, '--bind', '127.0.0.1:0', ...args], options);
}
