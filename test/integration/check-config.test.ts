import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder, Tsgun } from './harness.ts';

const files = {
  'good.mjs': 'export default (env, startResponse) => { startResponse("200 OK", []); return ["ok"]; };',
  'node.mjs': 'export default (req, res) => res.end();',
  'throws.ts': 'interface A { a: 1 }\nthrow new Error("no database");',
  'exits.mjs': 'process.exit(5);',
  'waits.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000));',
  'noisy.mjs': 'setInterval(() => {}, 1000); export default (req, res) => res.end();',
};

async function run(args: string[], env: NodeJS.ProcessEnv = {}, more: Record<string, string> = {}) {
  const { path } = makeFolder({ ...files, ...more });
  const tsgun = new Tsgun(args, { cwd: path, env });
  const { code } = await tsgun.exited;
  return { code, stdout: tsgun.stdout, stderr: tsgun.text, log: tsgun.log, path };
}

describe('--check-config', () => {
  it.each(['async', 'sync', 'threaded'])(
    'loads the app in a worker, says what it is, and exits 0: %s',
    async (name) => {
      const threads = name === 'threaded' ? ['--threads', '1'] : [];
      const { code, stdout, stderr, log } = await run(['good.mjs', '--check-config', '-k', name, ...threads]);
      expect({ code, stderr, log }).toEqual({ code: 0, stderr: [], log: [] });
      expect(stdout).toBe('The configuration and the app are fine: good.mjs (wsgi)\n');
    },
  );

  it('binds nothing, writes no pidfile and no log, and calls no hook, so that it may run beside the service', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const config = `import { writeFileSync } from 'node:fs';
      const hook = () => writeFileSync('hook-was-called', '');
      export default { bind: '127.0.0.1:${port}', pidfile: 'pid', errorLogfile: 'log', onStarting: hook, postFork: hook, onExit: hook };`;
    const { code, path } = await run(['node.mjs', '--check-config'], {}, { 'tsgun.config.mjs': config });
    other.close();
    expect(code).toBe(0);
    expect(readdirSync(path).filter((name) => ['hook-was-called', 'pid', 'log'].includes(name))).toEqual([]);
  });

  it('of an app that keeps timers ends all the same', async () => {
    expect(await run(['noisy.mjs', '--check-config'])).toMatchObject({ code: 0 });
  });

  it.each([
    ['an app that throws', ['throws.ts'], 4, ['tsgun: app: throws.ts failed to load: no database', /throws\.ts:2:/]],
    ['a file that is not there', ['none.ts'], 4, [/^tsgun: app: no file "none\.ts"/]],
    [
      'an app that ends its process',
      ['exits.mjs'],
      3,
      [/^tsgun: app: it ended its process with code 5/, /exits\.mjs:1:/],
    ],
    [
      'an app that waits',
      ['waits.mjs', '--boot-timeout', '12'],
      3,
      [/^tsgun: warning: the worker is not ready yet/, /^tsgun: worker not ready within 12 s/],
    ],
    ['a bad setting', ['good.mjs', '-w', 'x'], 1, [/^tsgun: workers: expected .* \(--workers\)$/]],
    ['no app', [], 1, [/^tsgun: no app given/]],
    [
      'files that cannot be written',
      ['good.mjs', '-p', 'no/pid', '--error-logfile', 'no/log'],
      1,
      [
        /^tsgun: pidfile: expected a file that can be written, got .*no\/pid: its folder is not there \(--pidfile\)$/,
        /^tsgun: errorLogfile: expected a file that can be written, got .*no\/log: its folder is not there \(--error-logfile\)$/,
      ],
    ],
  ] as const)('of %s says why, and exits as a start would', async (_, args, expected, lines) => {
    const { code, stdout, stderr } = await run([...args, '--check-config']);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toHaveLength(lines.length);
    for (const [index, line] of lines.entries()) expect(stderr[index]).toMatch(line);
  });

  it('hears a signal while the app still loads, and leaves nothing behind', async () => {
    const { path } = makeFolder({
      'app.mjs':
        "import { writeFileSync } from 'node:fs'; writeFileSync('pid', String(process.pid)); console.log('up'); await new Promise((resolve) => setTimeout(resolve, 60_000));",
    });
    const tsgun = new Tsgun(['app.mjs', '--check-config'], { cwd: path });
    await tsgun.until(() => tsgun.stdout.includes('up'), 'the app loads');
    tsgun.signal('SIGINT');
    expect(await tsgun.exited).toMatchObject({ code: 3 });
    expect(tsgun.text).toEqual(['tsgun: stopped by a signal before the app was loaded']);
    const pid = Number(readFileSync(join(path, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('--print-config', () => {
  const config = `{
  // a comment
  "workers": 3,
  "keepAlive": 75,
  "bind": "127.0.0.1:9000"
}`;

  it('prints each setting, its value and where it came from; no app is needed', async () => {
    const { code, stdout, stderr } = await run(
      ['--print-config', '--timeout', '60', '-e', 'A=b c'],
      { PORT: '5000', WEB_CONCURRENCY: '7', TSGUN_BACKLOG: '64', TSGUN_KEEP_ALIVE: '5' },
      { 'tsgun.config.json': config },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
    const rows = new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => [line.split(' ', 1)[0], line.replace(/ {2,}/g, ' | ')]),
    );
    expect(rows.get('workers')).toBe('workers | 3 | tsgun.config.json:3');
    expect(rows.get('bind')).toBe('bind | 127.0.0.1:9000 | tsgun.config.json:5');
    expect(rows.get('backlog')).toBe('backlog | 64 | TSGUN_BACKLOG');
    expect(rows.get('keepAlive')).toBe('keepAlive | 5 | TSGUN_KEEP_ALIVE');
    expect(rows.get('timeout')).toBe('timeout | 60 | --timeout');
    expect(rows.get('env')).toBe('env | {"A":"b c"} | --env');
    expect(rows.get('pidfile')).toBe('pidfile | null | default');
  });

  it('names what platforms set', async () => {
    const { stdout } = await run(['--print-config'], { PORT: '5000', WEB_CONCURRENCY: '7' });
    expect(stdout).toMatch(/^bind +0\.0\.0\.0:5000 +\$PORT$/m);
    expect(stdout).toMatch(/^workers +7 +\$WEB_CONCURRENCY$/m);
  });

  it('prints all problems to standard error, all of them in one run, and exits 1', async () => {
    const broken = '{\n  "wrokers": 2,\n  "timeout": "soon",\n  "accesslog": "-"\n}';
    const files = { 'tsgun.config.json': broken };
    const { code, stdout, stderr } = await run(['--print-config', '--pidfile', 'nowhere/pid'], {}, files);
    expect(code).toBe(1);
    expect(stderr).toEqual([
      'tsgun: wrokers: no such setting; did you mean workers? (tsgun.config.json:2)',
      'tsgun: timeout: expected a time in seconds from 0 to 2147483, got "soon" (tsgun.config.json:3)',
      expect.stringMatching(/^tsgun: accesslog: no such setting; .* \(tsgun\.config\.json:4\)$/),
      // What the system says, too.
      expect.stringMatching(/^tsgun: pidfile: expected a file .*nowhere\/pid: its folder is not there \(--pidfile\)$/),
    ]);
    expect(stdout).toMatch(/^timeout +30 +default$/m);
  });

  it('of a config module that waits for something ends at a signal', async () => {
    const { path } = makeFolder({
      'tsgun.config.mjs': 'console.log("up"); await new Promise(() => setTimeout(() => {}, 60_000));',
    });
    const tsgun = new Tsgun(['--print-config'], { cwd: path });
    await tsgun.until(() => tsgun.stdout.includes('up'), 'the module runs');
    tsgun.signal('SIGTERM');
    expect(await tsgun.exited).toMatchObject({ code: 1 });
    expect(tsgun.text).toEqual(['tsgun: stopped by a signal before the configuration was read']);
  });

  it('shows warnings too, and loads the app if --check-config is given as well', async () => {
    const { code, stdout, stderr } = await run(['good.mjs', '--print-config', '--check-config', '--threads', '8']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^threads +8 +--threads$/m);
    expect(stdout).toContain('The configuration and the app are fine: good.mjs (wsgi)');
    expect(stderr).toEqual([
      'tsgun: warning: threads: it does nothing in the async class; it is for --worker-class threaded (--threads)',
    ]);
  });
});
