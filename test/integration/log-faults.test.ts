/** What becomes of the service when nobody takes what it writes: full disks, closed pipes and terminals, readers that stop. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { Client } from '../http/client.ts';
import { Fifo } from '../log/fifo.ts';
import { freePort } from '../ports.ts';
import { timeOf } from '../scheduling.ts';
import { eventually, isAlive, type LogLine, makeFolder } from './harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/**
 * Prints ten lines in each of the ways that apps print, and fails.
 * @param isWithPino what pino, Fastify's logger too, writes to without being told, it opens by itself
 */
const loud = (isWithPino = false) => `
${isWithPino ? `import { createRequire } from 'node:module'; const log = createRequire('${import.meta.url}')('pino')();` : ''}
const line = 'x'.repeat(200)
export default (env, startResponse) => {
  if (env.PATH_INFO === '/pino') {
    for (let count = 0; count < 30; count++) log.error(line)
    throw new Error(line)
  }
  if (env.PATH_INFO === '/much') {
    for (let count = 0; count < 10_000; count++) env['wsgi.errors'].write(line + '\\n')
    startResponse('200 OK', [])
    return []
  }
  for (let count = 0; count < 10; count++) {
    console.log(line)
    console.error(line)
    process.stdout.write(line + '\\n')
    process.stderr.write(line + '\\n')
    env['wsgi.errors'].write(line + '\\n')
  }
  if (env.PATH_INFO === '/pid') {
    startResponse('200 OK', [])
    return [String(process.pid)]
  }
  throw new Error(line)
}`;

/** A stop without a request takes a tenth of a second, and must take no more than one. */
const promptMs = 1000;

type Stdio = number | 'ignore' | 'pipe';

/** An instance whose standard streams are the test's to spoil: what it does can only be seen from outside. */
class Instance {
  readonly process: ChildProcess;
  readonly port: number;
  private readonly count: number;
  private readonly findPid: () => number | undefined;

  /**
   * @param count of its workers
   * @param findPid of the master, once there is one
   */
  constructor(port: number, process: ChildProcess, count: number, findPid = () => process.pid) {
    this.process = process;
    this.port = port;
    this.count = count;
    this.findPid = findPid;
    onTestFinished(() => this.destroy());
  }

  get pid(): number {
    return this.findPid() ?? -1;
  }

  async get(path: string): Promise<string> {
    const client = await Client.open(this.port, '127.0.0.1');
    return client.exchange(`GET ${path} HTTP/1.0\r\n\r\n`);
  }

  async ready(): Promise<void> {
    await eventually(async () => {
      if (this.process.exitCode !== null) throw new Error(`it ended with code ${this.process.exitCode}`);
      return (await this.get('/pid').catch(() => '')).includes('200 OK');
    });
    await eventually(() => this.workers().length === this.count);
  }

  workers(): number[] {
    try {
      const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
      return children.split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  /** Of the master, in seconds. */
  cpu(): number {
    const [, , , , , , , , , , , user, system] = this.stat();
    return (Number(user) + Number(system)) / 100;
  }

  /** @returns the milliseconds until the master was gone, without those in which the machine did not run it or its workers */
  async term(): Promise<number> {
    return timeOf([this.pid, ...this.workers()], async () => {
      process.kill(this.pid, 'SIGTERM');
      await eventually(() => ['', 'Z'].includes(this.stat()[0]!));
    });
  }

  /** proc(5), from the state on. */
  private stat(): string[] {
    try {
      return readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    } catch {
      return [''];
    }
  }

  private destroy(): void {
    for (const pid of [this.process.pid, this.findPid(), ...this.workers()])
      if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

interface Starting {
  readonly stdout?: Stdio;
  readonly stderr?: Stdio;
  readonly args?: readonly string[];
  readonly app?: string;
  readonly workers?: number;
}

async function start({
  stdout = 'ignore',
  stderr = 'ignore',
  args = [],
  app = loud(),
  workers = 1,
}: Starting): Promise<Instance> {
  const { path } = makeFolder({ 'app.mjs': app });
  const port = await freePort();
  const all = [command, 'app.mjs', '--bind', `127.0.0.1:${port}`, '--workers', String(workers), ...args];
  return new Instance(port, spawn(process.execPath, all, { cwd: path, stdio: ['ignore', stdout, stderr] }), workers);
}

/** In a terminal whose other end is held by `script`, which types what the test writes to it. */
async function startInTerminal(): Promise<Instance> {
  const { path } = makeFolder({ 'app.mjs': loud() });
  const port = await freePort();
  const options = `--bind 127.0.0.1:${port} --workers 2 --pidfile ${path}/pid`;
  const line = `exec ${process.execPath} ${command} app.mjs ${options}`;
  const script = spawn('script', ['-qfc', line, '/dev/null'], { cwd: path, stdio: ['pipe', 'ignore', 'ignore'] });
  let pid: number | undefined;
  return new Instance(port, script, 2, () => {
    try {
      pid ??= Number.parseInt(readFileSync(`${path}/pid`, 'utf8'), 10);
    } catch {}
    return pid;
  });
}

/** 60 requests of each path, each with errors: all are answered, no worker is lost, the master idles, TERM is obeyed. */
async function survives(instance: Instance, paths = ['/fail']): Promise<void> {
  const workers = instance.workers();
  for (const path of paths) {
    const answers = await Promise.all(Array.from({ length: 60 }, () => instance.get(path)));
    expect(answers.map((answer) => answer.slice(9, 12))).toEqual(Array(60).fill('500'));
  }
  const before = instance.cpu();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(instance.cpu() - before).toBeLessThan(0.3);
  expect(instance.workers()).toEqual(workers);
  expect(await instance.term()).toBeLessThan(promptMs);
  expect(workers.filter(isAlive)).toEqual([]);
}

type Fault =
  | 'a full disk'
  | 'a closed pipe'
  | 'a pipe that nobody reads'
  | 'a closed socket'
  | 'a socket that nobody reads';

/** Something to write to that is no good. */
function spoilt(fault: Fault): { stdio: Stdio; spoil: (instance: Instance) => void } {
  const nothing = () => {};
  if (fault === 'a socket that nobody reads') return { stdio: 'pipe', spoil: nothing };
  if (fault === 'a closed socket') return { stdio: 'pipe', spoil: ({ process }) => closeAll(process) };
  if (fault === 'a full disk') return { stdio: kept(openSync('/dev/full', 'w')), spoil: nothing };
  const fifo = new Fifo();
  const stdio = kept(fifo.openWriter());
  return { stdio, spoil: fault === 'a closed pipe' ? () => fifo.close() : nothing };
}

function closeAll({ stdout, stderr }: ChildProcess): void {
  stdout?.destroy();
  stderr?.destroy();
}

function kept(fd: number): number {
  onTestFinished(() => closeSync(fd));
  return fd;
}

const faults: readonly Fault[] = [
  'a full disk',
  'a closed pipe',
  'a pipe that nobody reads',
  'a closed socket',
  'a socket that nobody reads',
];
const cases = faults.flatMap((fault) =>
  (['async', 'sync', 'threaded'] as const)
    .filter((workerClass) => workerClass === 'async' || !fault.includes('socket'))
    .map((workerClass) => ({ fault, workerClass })),
);

describe.skipIf(process.platform !== 'linux').each(cases)(
  'an app that prints, also by pino, to $fault, in the $workerClass class',
  { concurrent: true },
  ({ fault, workerClass }) => {
    // What one stream does to the other is the same in each class.
    const streams = workerClass === 'async' ? ['stdout', 'stderr', 'both'] : ['both'];
    it.each(streams)('loses neither a request nor a worker: %s', async (which) => {
      const bad = spoilt(fault);
      const isWithPino = which === 'both' && !fault.includes('socket');
      const instance = await start({
        stdout: which === 'stderr' ? 'ignore' : bad.stdio,
        stderr: which === 'stdout' ? 'ignore' : bad.stdio,
        args: ['--worker-class', workerClass, '--threads', '2'],
        app: loud(isWithPino),
      });
      bad.spoil(instance);
      await instance.ready();
      await survives(instance, isWithPino ? ['/pino', '/fail'] : ['/fail']);
    });
  },
);

/** Reads standard error, and what is wrong with standard output. */
function reading(instance: Instance): () => LogLine[] {
  let text = '';
  instance.process.stderr!.on('data', (bytes) => {
    text += bytes;
  });
  return () =>
    text
      .split('\n')
      .filter((line) => line.endsWith('}') && line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
}

describe.skipIf(process.platform !== 'linux')('standard output', { concurrent: true }, () => {
  it('that cannot be written is a line of the error log, one for each process', async () => {
    const fifo = new Fifo();
    const instance = await start({ stdout: kept(fifo.openWriter()), stderr: 'pipe', workers: 2 });
    fifo.close();
    const lines = reading(instance);
    await instance.ready();
    for (let count = 0; count < 20; count++) await instance.get('/fail');
    const found = lines().filter(({ stream }) => stream === 'stdout');
    const pids = found.map(({ pid }) => pid);
    expect(found).toEqual(
      pids.map((pid) =>
        expect.objectContaining({
          level: 'warn',
          pid,
          error: expect.stringMatching(/EPIPE|ENXIO/),
          msg: expect.stringMatching(/^stdout cannot be written/),
        }),
      ),
    );
    expect(new Set(pids).size).toBe(pids.length);
    expect(pids.length).toBeGreaterThan(0);
    expect(await instance.term()).toBeLessThan(promptMs);
  });

  it('whose reader stops and goes on: the error log says how many lines are missing', async () => {
    const fifo = new Fifo();
    const printing = `export default (env, startResponse) => {
      for (let count = 0; count < 100_000; count++) console.log('x'.repeat(99))
      startResponse('200 OK', [])
      return []
    }`;
    const instance = await start({ stdout: kept(fifo.openWriter()), stderr: 'pipe', app: printing });
    const lines = reading(instance);
    await eventually(async () => (await instance.get('/').catch(() => '')).includes('200 OK'));
    let size = 0;
    const dropped = () => lines().find(({ event }) => event === 'log_dropped');
    await eventually(() => {
      size += fifo.read().length;
      return dropped() !== undefined;
    });
    await eventually(() => {
      const { length } = fifo.read();
      size += length;
      return length === 0;
    });
    expect(dropped()).toMatchObject({ level: 'warn', stream: 'stdout', dropped: 100_000 - size / 100 });
    expect(await instance.term()).toBeLessThan(promptMs);
  });
});

describe.skipIf(process.platform !== 'linux')('a reader of the log that stops', () => {
  it('and goes on finds whole lines, and how many are missing, in each process', async () => {
    const fifo = new Fifo();
    const stdio = kept(fifo.openWriter());
    const instance = await start({ stderr: stdio, workers: 2 });
    await instance.ready();
    // More than the pipe and the memory of both workers take.
    await Promise.all(Array.from({ length: 6 }, () => instance.get('/much')));
    let rest = '';
    let arrived = 0;
    let missing = 0;
    let last: LogLine | undefined;
    // A process may print for itself, too.
    const take = () => {
      const lines = (rest + fifo.read()).split('\n');
      rest = lines.pop()!;
      for (const line of lines.filter((each) => each.startsWith('{'))) {
        last = JSON.parse(line) as LogLine;
        if (last.source === 'wsgi.errors') arrived++;
        if (last.event === 'log_dropped') missing += Number(last.dropped);
      }
    };
    // Ten more came with the first request of all.
    const printed = 6 * 10_000 + 10;
    // However the requests came to be spread over the workers: until each line is there, or counted as missing.
    await eventually(() => {
      take();
      return rest === '' && arrived + missing >= printed;
    });
    await instance.term();
    take();
    expect(last?.event).toBe('shutdown_finished');
    expect(missing).toBeGreaterThan(0);
    expect(arrived + missing).toBe(printed);
  });
});

describe.skipIf(process.platform !== 'linux' || spawnSync('script', ['--version']).error !== undefined)(
  'a terminal',
  () => {
    it('that is closed costs neither a request nor a worker', async () => {
      const instance = await startInTerminal();
      await instance.ready();
      const workers = instance.workers();
      instance.process.kill('SIGKILL');
      // Its end is a HUP, which reloads.
      await eventually(
        () => instance.workers().length === 2 && !instance.workers().some((pid) => workers.includes(pid)),
      );
      await instance.ready();
      await survives(instance);
    });

    it('that is stopped by Ctrl-S costs neither a request nor a worker', async () => {
      const instance = await startInTerminal();
      await instance.ready();
      instance.process.stdin!.write('\x13');
      await survives(instance);
    });
  },
);
