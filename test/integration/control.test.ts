/** The commands for a running instance, as a user calls them. */

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, start, Tsgun } from './harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder for sockets, so that no other instance of this user is found. */
function runtimeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tsgun-run-'));
}

function run(runtime: string, words: readonly string[], cwd?: string): Promise<Ran> {
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime, TMPDIR: runtime };
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...words], { env, cwd }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** The loop leaves most of the time to the commands that look at it. */
const app = (word: string) => `const cell = new Int32Array(new SharedArrayBuffer(4));
function hotLoop() { for (;;) { for (const end = Date.now() + 2; Date.now() < end; ) Math.random(); Atomics.wait(cell, 0, 0, 18); } }
export default async function app(env, startResponse) {
  if (env.PATH_INFO === '/loop') hotLoop();
  if (env.PATH_INFO === '/wait') await new Promise(() => {});
  startResponse('200 OK', []);
  return ['${word}'];
}`;

const hasTerminal = spawnSync('script', ['--version']).status === 0 && spawnSync('pgrep', ['--version']).status === 0;

const childrenOf = (pid: number): number[] =>
  spawnSync('pgrep', ['-P', String(pid)])
    .stdout.toString()
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** A terminal of script(1), in which a shell runs `tsgun top`, and then says how it finds the terminal. */
class Terminal {
  screen = '';
  private readonly process: ChildProcess;

  constructor(runtime: string) {
    const text = `echo "shell $$"; stty rows 24 cols 80; '${process.execPath}' '${command}' top; echo "ended $?"; stty -a; echo over`;
    this.process = spawn('script', ['-qefc', `sh -c '${text.replaceAll("'", `'\\''`)}'`, '/dev/null'], {
      env: { ...process.env, XDG_RUNTIME_DIR: runtime, TMPDIR: runtime, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout?.on('data', (bytes) => {
      this.screen += bytes;
    });
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  get shell(): number {
    return Number(/shell (\d+)/.exec(this.screen)?.[1]);
  }

  send(keys: string): void {
    this.screen = '';
    this.process.stdin?.write(keys);
  }

  async until(pattern: RegExp): Promise<void> {
    await eventually(() => pattern.test(this.screen));
  }

  /** With echo and whole lines, the cursor, and the screen of before. */
  async expectSane(): Promise<void> {
    await this.until(/over/);
    const end = this.screen.slice(this.screen.indexOf('ended'));
    expect(end).toMatch(/[ ;]icanon/);
    expect(end).toMatch(/[ ;]echo /);
    const before = this.screen.slice(0, this.screen.indexOf('ended'));
    expect(before.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  }
}

it('a stop amid a profile writes nothing but lines of the log', async () => {
  const runtime = runtimeFolder();
  const { path } = makeFolder({ 'app.mjs': app('hello') });
  const tsgun = start('app.mjs', [], { cwd: path, env: { XDG_RUNTIME_DIR: runtime } });
  await tsgun.workers(1);
  // The later one is refused: then the other one is under way.
  const profiling = [1, 2].map(() => run(runtime, ['profile', '--seconds', '60'], runtime));
  expect((await Promise.race(profiling)).err).toContain('is under way');
  expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  expect(tsgun.text).toEqual([]);
  expect((await Promise.all(profiling)).map(({ code }) => code)).toEqual([1, 1]);
});

describe('an instance whose workers are all in endless loops', () => {
  const runtime = runtimeFolder();
  let tsgun: Tsgun;
  let pids: number[];

  beforeAll(async () => {
    writeFileSync(join(runtime, 'app.mjs'), app('hello'));
    // Never killed here: nothing of what follows waits for that.
    tsgun = new Tsgun(['app.mjs', '--bind', '127.0.0.1:0', '--workers', '2', '--timeout', '3600'], {
      cwd: runtime,
      env: { XDG_RUNTIME_DIR: runtime },
      isShared: true,
    });
    pids = await tsgun.workers(2);
    for (let count = 0; count < 2; count++) {
      fetch(await tsgun.url('/loop?secret=1')).catch(() => {});
      // One that has been read: the next connection is for the other worker.
      await eventually(async () => JSON.parse((await run(runtime, ['requests', '--json'])).out).length > count);
    }
    await eventually(async () => {
      // It takes two seconds, and each question is a process.
      await sleep(400);
      const { workers } = JSON.parse((await run(runtime, ['status', '--json'])).out);
      return workers.every(({ unresponsive }: { unresponsive: boolean }) => unresponsive);
    });
  });

  afterAll(async () => {
    for (const pid of [...pids, tsgun.pid]) process.kill(pid, 'SIGKILL');
    await tsgun.exited;
    rmSync(runtime, { recursive: true, force: true });
  });

  /** A watchdog has 150 ms to say what its worker does. On a busy machine it may need more: then it is asked again. */
  async function tellOfBoth(words: readonly string[], each: RegExp): Promise<string> {
    let out = '';
    await eventually(async () => {
      const answer = await run(runtime, words);
      expect(answer.code).toBe(0);
      ({ out } = answer);
      return out.match(each)?.length === 2;
    });
    return out;
  }

  it('has a status, which marks each of them with its request', async () => {
    const out = await tellOfBoth(['status'], /on GET \/loop/g);
    expect(out).toMatch(/^workers: 2 of 2 ready, 2 UNRESPONSIVE$/m);
    for (const pid of pids)
      expect(out).toMatch(new RegExp(`^ +\\d +${pid} +1 +UNRESPONSIVE .*\n +silent for .*\n +on GET /loop for`, 'm'));
    expect(out).not.toContain('secret');
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const workers = JSON.parse(await tellOfBoth(['workers', '--json'], /"path": ?"\/loop"/g));
    expect(workers).toMatchObject([
      { worker: 1, unresponsive: true, running: 1, requestsRunning: [{ method: 'GET', path: '/loop' }] },
      { worker: 2, unresponsive: true, running: 1, requestsRunning: [{ method: 'GET', path: '/loop' }] },
    ]);
  });

  it('lists their requests, with queries only where asked', async () => {
    const out = await tellOfBoth(['requests', '--json'], /"path": ?"\/loop"/g);
    const request = { unresponsive: true, thread: null, method: 'GET', path: '/loop', ageMs: expect.any(Number) };
    const client = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
    const costs = { cpuMs: expect.any(Number), queueMs: null, receivedBytes: 0, sentBytes: 0 };
    const list = JSON.parse(out);
    expect(list).toEqual(
      expect.arrayContaining(pids.map((pid) => ({ ...request, ...costs, pid, client, worker: expect.any(Number) }))),
    );
    // How much of a CPU a loop gets depends on what else the machine does.
    for (const { cpuMs, ageMs } of list) {
      expect(cpuMs).toBeLessThanOrEqual(ageMs);
      expect(cpuMs).toBeGreaterThan(0);
    }
    const text = await tellOfBoth(['requests', '--query'], /\/loop\?secret/g);
    expect(text).toMatch(/ GET {5}\/loop\?secret=\d+$/m);
    expect(text).toMatch(/^! worker 1 \(\d+\) is unresponsive$/m);
  });

  it('shows where they are, and what is hot in them', async () => {
    const out = await tellOfBoth(['stacks'], /at hotLoop/g);
    for (const pid of pids) expect(out).toContain(`(${pid}), UNRESPONSIVE for`);
    expect(out.match(/^ {4}at hotLoop \(.*app\.mjs:2:\d+\)$/gm)).toHaveLength(2);
    const stacksOfOne = async () => JSON.parse((await run(runtime, ['stacks', String(pids[1]), '--json'])).out);
    await eventually(async () => (await stacksOfOne())[0]?.stacks?.[0]?.thread === 'main');
    expect(await stacksOfOne()).toMatchObject([{ pid: pids[1] }]);

    const profiled = await run(runtime, ['profile', '--seconds', '1', '--output', 'loop.cpuprofile'], runtime);
    expect(profiled).toMatchObject({ code: 0, out: '' });
    expect(profiled.err).toMatch(/^written: loop\.cpuprofile\n +\d+\.\d % {2}(hotLoop|app) \(.*app\.mjs:\d+\)$/m);
    const { nodes } = JSON.parse(readFileSync(join(runtime, 'loop.cpuprofile'), 'utf8'));
    const names = nodes.map(({ callFrame }: { callFrame: { functionName: string } }) => callFrame.functionName);
    for (const pid of pids) expect(names.join()).toContain(`(${pid}), main`);
  });

  it.skipIf(!hasTerminal)('is seen live, and the terminal is as it was at the end', async () => {
    const terminal = new Terminal(runtime);
    await terminal.until(/SILENT .* GET \/loop/);
    terminal.send('s');
    await terminal.until(/at hotLoop/);
    terminal.send('q');
    await terminal.until(/down select/);
    terminal.send('q');
    await terminal.until(/ended 0/);
    await terminal.expectSane();
  });

  it.skipIf(!hasTerminal)(
    'is seen live, and the terminal is as it was when the process that draws is killed',
    async () => {
      const terminal = new Terminal(runtime);
      await terminal.until(/SILENT/);
      const [supervisor] = childrenOf(terminal.shell);
      process.kill(childrenOf(supervisor!)[0]!, 'SIGKILL');
      await terminal.until(/ended 1/);
      await terminal.expectSane();
    },
  );

  it('needs a terminal to be seen live', async () => {
    expect(await run(runtime, ['top'])).toMatchObject({ code: 1, err: expect.stringContaining('expected a terminal') });
  });

  it('refuses commands that make no sense, and says which would', async () => {
    const { code, err } = await run(runtime, ['heap', '1']);
    expect([code, err]).toEqual([1, expect.stringMatching(/no worker has pid 1: there are \d+, \d+\n$/)]);
    expect(await run(runtime, ['scale', 'many'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('got "many"'),
    });
  });
});

describe('an instance that is steered', () => {
  it('reloads, scales, logs more, and stops, and each command says how that went', async () => {
    const runtime = runtimeFolder();
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const { path, write } = makeFolder({ 'app.mjs': app('one') });
    const tsgun = start('app.mjs', ['--pidfile', 'x.pid'], { cwd: path, env: { XDG_RUNTIME_DIR: runtime } });
    await tsgun.workers(1);

    write('app.mjs', app('two'));
    expect(await run(runtime, ['reload', '--wait'])).toEqual({
      code: 0,
      out: 'reloaded: generation 2 serves\n',
      err: '',
    });
    expect(await tsgun.ask()).toBe('two');

    write('app.mjs', 'throw new Error("out of order");');
    const failed = await run(runtime, ['reload', '--wait', '--pidfile', join(path, 'x.pid')]);
    expect(failed).toMatchObject({ code: 1, out: '' });
    expect(failed.err).toMatch(/^tsgun: the reload has failed, and what ran before serves on: .*out of order/);
    expect(await tsgun.ask()).toBe('two');
    expect(tsgun.lines('reload_started')[0]).toMatchObject({ from: 'control' });

    write('app.mjs', app('three'));
    expect((await run(runtime, ['scale', '3'])).out).toBe('workers wanted: 3, 1 before\n');
    expect(await tsgun.event('scaled')).toMatchObject({ from: 1, workers: 3 });
    await tsgun.workers(4);

    const pid = tsgun.living().at(-1);
    const written = await run(runtime, ['heap', String(pid), '--snapshot', '--json']);
    expect(written).toMatchObject({ code: 0, err: expect.stringContaining('another takes its place') });
    const { path: file } = JSON.parse(written.out) as { path: string };
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    expect(readFileSync(file, 'utf8')).toContain('"snapshot":{"meta"');
    rmSync(dirname(file), { recursive: true });
    await tsgun.until(() => tsgun.lines('worker_exited').some((line) => line.pid === pid), 'its exit');

    expect(await run(runtime, ['log-level', 'error'])).toMatchObject({ code: 0 });
    await run(runtime, ['scale', '1']);
    expect(JSON.parse((await run(runtime, ['status', '--json'])).out)).toMatchObject({ wanted: 1 });
    expect(tsgun.lines('scaled')).toHaveLength(1);

    const socket = join(runtime, 'tsgun', `${tsgun.pid}.sock`);
    expect(existsSync(socket)).toBe(true);
    const stopped = await run(runtime, ['stop', '--control-socket', socket]);
    expect(stopped).toMatchObject({ code: 0, out: expect.stringMatching(/^stopping \d workers?: .*\nstopped\n$/) });
    expect(await tsgun.exited).toEqual({ code: 0, signal: null });
    expect(readdirSync(join(runtime, 'tsgun'))).toEqual([]);
    expect(await run(runtime, ['reload', '--wait'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no tsgun of this user runs'),
    });
  });

  it('with a named socket is found as with the default one, told from its successor, and not started where that is taken', async () => {
    const runtime = runtimeFolder();
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const { path } = makeFolder({ 'app.mjs': app('hello') });
    const socket = join(path, 'c.sock');
    const old = start('app.mjs', ['--control-socket', socket], { cwd: path, env: { XDG_RUNTIME_DIR: runtime } });
    await old.workers(1);
    const pidFile = join(path, 'pid');
    writeFileSync(pidFile, `${old.pid}\n`);
    for (const words of [[], ['--pid', String(old.pid)], ['--pidfile', pidFile]])
      expect(JSON.parse((await run(runtime, ['status', '--json', ...words], runtime)).out)).toMatchObject({
        pid: old.pid,
      });
    const second = start('app.mjs', ['--control-socket', socket], { cwd: path });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.text.join()).toContain(`controlSocket: ${socket} is in use`);

    old.signal('SIGUSR2');
    await old.event('worker_ready', 2);
    const pidOf = async (name: string) =>
      JSON.parse((await run(runtime, ['status', '--json', '--control-socket', name])).out).pid;
    const [oldPid, newPid] = [await pidOf(socket), await pidOf(`${socket}.2`)];
    expect(oldPid).toBe(old.pid);
    expect(newPid).not.toBe(old.pid);
    await old.retire();
    await eventually(() => !existsSync(`${socket}.2`));
    expect(await pidOf(socket)).toBe(newPid);
    expect(JSON.parse((await run(runtime, ['status', '--json'], runtime)).out)).toMatchObject({ pid: newPid });
    expect((await run(runtime, ['stop', '--control-socket', socket])).code).toBe(0);
    expect(existsSync(socket)).toBe(false);
    expect(readdirSync(join(runtime, 'tsgun'))).toEqual([]);
  });
});

describe('which instance is meant', () => {
  it('must be named if several run; a dead one does not count', async () => {
    const runtime = runtimeFolder();
    const folder = join(runtime, 'tsgun');
    mkdirSync(folder, { mode: 0o700 });
    const status = { pid: 0, app: 'a.ts', addresses: ['127.0.0.1:1'], uptimeMs: 3000, otherMaster: null };
    const servers = [7, 8].map((pid) =>
      createServer((socket) => {
        socket.on('error', () => {});
        socket.once(
          'data',
          () => void socket.write(`${JSON.stringify({ version: 1, id: 1, ok: true, result: { ...status, pid } })}\n`),
        );
      }).listen(join(folder, `${pid}.sock`)),
    );
    onTestFinished(() => {
      for (const server of servers) server.close();
      rmSync(runtime, { recursive: true, force: true });
    });
    // Left behind: a server in another process that was killed.
    const bind = `require('net').createServer().listen(${JSON.stringify(join(folder, '9.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', bind]);
    expect(readdirSync(folder).sort()).toEqual(['7.sock', '8.sock', '9.sock']);
    const { code, err } = await run(runtime, ['status']);
    expect(code).toBe(1);
    expect(err.split('\n')).toEqual([
      'tsgun: 2 instances run: name one by --pid',
      'tsgun:   --pid 7  a.ts on 127.0.0.1:1, up 3 s',
      'tsgun:   --pid 8  a.ts on 127.0.0.1:1, up 3 s',
      '',
    ]);
    expect(await run(runtime, ['status', '--pid', '9'])).toMatchObject({ code: 2 });
    expect(await run(runtime, ['status', '--pid', '10'])).toMatchObject({
      code: 2,
      err: expect.stringContaining(folder),
    });
    expect((await run(runtime, ['status', '--pid', '7', '--json'])).out).toContain('"pid":7');
  });
});

describe('a command that names no instance', () => {
  it.each([
    ['controlSocket', { controlSocket: 'here.sock', chdir: 'place' }],
    ['pidfile', { pidfile: 'here.pid' }],
  ])('finds that of the configuration (%s), though another one runs', { timeout: 60_000 }, async (_, settings) => {
    const runtime = runtimeFolder();
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const { path } = makeFolder({
      'app.mjs': app('one'),
      'place/app.mjs': app('one'),
      'tsgun.config.json': JSON.stringify({ ...settings, workers: 1 }),
    });
    const other = makeFolder({ 'app.mjs': app('other') });
    const env = { XDG_RUNTIME_DIR: runtime, TMPDIR: runtime };
    const [here, there] = [start('app.mjs', [], { cwd: path, env }), start('app.mjs', [], { cwd: other.path, env })];
    await Promise.all([here.workers(1), there.workers(1)]);
    const found = await run(runtime, ['status', '--json'], path);
    expect(found).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(found.out)).toMatchObject({ pid: here.pid });
    await here.stop();
    // Its pidfile is gone, and the other is the only one; a control socket is there or not.
    const later = await run(runtime, ['status', '--json'], path);
    if ('pidfile' in settings) expect(JSON.parse(later.out)).toMatchObject({ pid: there.pid });
    else expect(later).toMatchObject({ code: 2, err: expect.stringContaining('here.sock') });
    await there.stop();
  });
});

describe('a mistyped command line', () => {
  it.each([
    [['statsu'], 'tsgun: did you mean the command "tsgun status"?'],
    [['relaod', '--wait'], 'tsgun: did you mean the command "tsgun reload"?'],
    [['status', '--jsn'], "tsgun: tsgun status: Unknown option '--jsn'; did you mean --json?"],
    [
      ['profile', '--seconds', '-1'],
      "tsgun: tsgun profile: Option '--seconds' argument is ambiguous; tsgun profile --help lists the options",
    ],
  ])('is explained in one line (%j)', async (words, hint) => {
    const runtime = runtimeFolder();
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const { code, err } = await run(runtime, words, runtime);
    expect(code).not.toBe(0);
    expect(err.trimEnd().split('\n').at(-1)).toBe(hint);
  });

  it('is not taken for one where an app of that name fails', async () => {
    const { path } = makeFolder({ 'shop.js': "throw new Error('no database');" });
    const { err } = await run(path, ['shop'], path);
    expect(err).toContain('no database');
    expect(err).not.toContain('did you mean');
  });
});
