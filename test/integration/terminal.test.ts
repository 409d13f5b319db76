/** What people on a terminal see. The terminal is one of script(1). */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { isAlive, makeFolder } from './harness.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const hasTerminal = spawnSync('script', ['--version']).status === 0;

const files = {
  'app.mjs': 'export default (env, startResponse) => { startResponse("200 OK", []); return ["ok"]; };',
  'tcp.mjs': 'export const tcp = (socket) => socket.end();',
  'throws.ts': 'interface A { a: 1 }\nthrow new Error("no database");',
};

class Terminal {
  screen = '';
  private readonly process: ChildProcess;
  private readonly closed: Promise<unknown>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const { path } = makeFolder(files);
    const words = [process.execPath, command, ...args].map((word) => `'${word}'`).join(' ');
    // Node shows no colours where CI is set.
    const { NO_COLOR, FORCE_COLOR, CI, ...own } = process.env;
    // exec: the signals of the test reach tsgun itself.
    this.process = spawn('script', ['-qefc', `echo $$; exec ${words}`, '/dev/null'], {
      cwd: path,
      env: { ...own, TERM: 'xterm-256color', TSGUN_BIND: '127.0.0.1:0', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout?.on(
      'data',
      (bytes) =>
        (this.screen += String(bytes)
          .replaceAll('\r', '')
          .replaceAll(path, '$PWD')
          .replace(/^ {4}at .*?(\$PWD\/[^:]+:\d+).*$/gm, '    at $1')),
    );
    this.closed = once(this.process, 'close');
    onTestFinished(() => {
      if (this.pid > 0 && isAlive(this.pid)) process.kill(this.pid, 'SIGKILL');
    });
  }

  private get pid(): number {
    return Number(this.screen.split('\n', 1)[0]);
  }

  /** Without the line that tells the pid. */
  get text(): string {
    return this.screen.slice(this.screen.indexOf('\n') + 1);
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await once(this.process.stdout!, 'data');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async exit(): Promise<number | null> {
    await this.closed;
    return this.process.exitCode;
  }
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  it('a start is one banner: version, app and what it was taken for, addresses as links, workers, class, pid', async () => {
    const terminal = new Terminal(['app.mjs', '-w', '3', '-b', '127.0.0.1:0', '-b', 'unix:x.sock'], { NO_COLOR: '1' });
    await terminal.until(/stops it\n/);
    expect(terminal.text).toMatch(
      /^tsgun \d+\.\d+\.\d+ serves app\.mjs \(wsgi\)\n {2}http:\/\/127\.0\.0\.1:\d+\n {2}unix:\$PWD\/x\.sock\n {2}3 async workers, pid \d+, Ctrl-C stops it\n$/,
    );
    terminal.signal('SIGINT');
    expect(await terminal.exit()).toBe(0);
    expect(terminal.text.split('\n').slice(4)).toEqual([expect.stringMatching(/ tsgun stopped /), '']);
  });

  it('what comes after the start has a line each, as before', async () => {
    const terminal = new Terminal(['app.mjs', '-w', '2'], { NO_COLOR: '1' });
    await terminal.until(/stops it\n/);
    terminal.signal('SIGHUP');
    await terminal.until(/reload finished/);
    for (const step of ['reloading', 'worker spawned', 'worker ready']) expect(terminal.text).toContain(step);
    terminal.signal('SIGTERM');
    expect(await terminal.exit()).toBe(0);
  });

  it('there are colours, and none under NO_COLOR or in what is no terminal', async () => {
    const terminal = new Terminal(['app.mjs']);
    await terminal.until(/stops it\n/);
    terminal.signal('SIGINT');
    await terminal.exit();
    expect(terminal.text).toContain('\u001b[1mtsgun');
    const help = new Terminal(['--help']);
    await help.exit();
    expect(help.text).toContain('\u001b[1mWorkers\u001b[22m');
    const plain = new Terminal(['--help'], { NO_COLOR: '1' });
    await plain.exit();
    expect(plain.text).not.toContain('\u001b');
  });

  it.each([
    ['an app that is not there', ['nope.ts'], 4, 'tsgun: app: no file "nope.ts" (looked for $PWD/nope.ts)\n'],
    [
      'an app that throws, in three workers',
      ['throws.ts', '-w', '3'],
      4,
      'tsgun: app: throws.ts failed to load: no database\n    at $PWD/throws.ts:2\n',
    ],
    [
      'two problems',
      ['app.mjs', '-w', 'x', '--workres', '2'],
      1,
      'tsgun: --workres: unknown option; did you mean --workers?\ntsgun: workers: expected a positive whole number up to 1024 or "auto", got "x" (--workers)\n',
    ],
  ])('a start that fails is one message: %s', async (_, args, code, text) => {
    const terminal = new Terminal(args, { NO_COLOR: '1' });
    expect(await terminal.exit()).toBe(code);
    expect(terminal.text).toBe(text);
  });

  it('--log-format json is JSON there too', async () => {
    const terminal = new Terminal(['app.mjs', '--log-format', 'json', '-w', 'x']);
    expect(await terminal.exit()).toBe(1);
    expect(JSON.parse(terminal.text)).toMatchObject({
      level: 'fatal',
      exitCode: 1,
      error: expect.stringMatching(/^workers: /),
    });
  });
});
