/** `run` in a script of the user's own, in a project that has nothing but the packed tsgun. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onTestFinished } from '../current.ts';
import { eventually, isAlive, type LogLine } from '../integration/harness.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'tsgun-embed-'));
const jiti = join(createRequire(import.meta.url).resolve('jiti/package.json'), '../lib/jiti-cli.mjs');

beforeAll(() => {
  // What npm would install, without asking a registry: the package as packed, and its dependencies from here.
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      // Where `npm run test:packed` has put what is installed, that is packed once more.
      cwd: dirname(realpathSync(join(repository, 'dist'))),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ filename: string }];
  const target = join(project, 'node_modules/tsgun');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['xzf', join(project, filename), '--strip-components=1', '-C', target]);
  symlinkSync(join(repository, 'node_modules'), join(target, 'node_modules'));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

class Script {
  readonly process: ChildProcess;
  readonly log: LogLine[] = [];
  readonly text: string[] = [];
  stdout = '';

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.on('data', (bytes) => {
      this.stdout += bytes;
    });
    createInterface({ input: this.process.stderr! }).on('line', (line) =>
      line.startsWith('{') ? this.log.push(JSON.parse(line) as LogLine) : this.text.push(line),
    );
    onTestFinished(() => {
      for (const pid of [this.process.pid!, ...this.workers()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
  }

  workers(): number[] {
    return this.log.filter(({ event }) => event === 'worker_spawned').map(({ pid }) => pid);
  }

  async event(name: string, count = 1): Promise<LogLine> {
    const found = () => this.log.filter(({ event }) => event === name);
    await eventually(() => {
      if (this.process.exitCode !== null && found().length < count)
        throw new Error(`ended before ${name}: ${JSON.stringify(this.log)} ${this.text.join('\n')}`);
      return found().length >= count;
    });
    return found()[count - 1]!;
  }

  async get(): Promise<string> {
    const { url } = await this.event('listening');
    return (await fetch(String(url), { headers: { connection: 'close' } })).text();
  }
}

const body = (types: boolean) => `
const app${types ? ': App' : ''} = (env, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['first ' + process.pid + ' ' + process.argv.slice(2)];
};
const { reason, exitCode } = await run(app, { bind: '127.0.0.1:0', workerClass: 'CLASS' });
console.log('stopped:', reason, exitCode);
`;

/** Node strips types itself from 22.18 on; older ones need a loader. */
const isStripping = (process.features as { typescript?: unknown }).typescript !== undefined;

test.each([
  ['in JavaScript', 'server.mjs', "import { run } from 'tsgun';", 'async', []],
  ['in JavaScript, with threads', 'server.mjs', "import { run } from 'tsgun';", 'threaded', []],
  ['in TypeScript', 'server.ts', "import { type App, run } from 'tsgun';", 'sync', [jiti]],
  ['in TypeScript, with threads', 'server.ts', "import { type App, run } from 'tsgun';", 'threaded', [jiti]],
  ...(isStripping
    ? ([
        ['in TypeScript, run by Node', 'server.mts', "import { type App, run } from 'tsgun';", 'async', []],
        [
          'in TypeScript, run by Node, with threads',
          'server.mts',
          "import { type App, run } from 'tsgun';",
          'threaded',
          [],
        ],
      ] as const)
    : []),
] as const)(
  'a script %s is served, respawned, reloaded with its new code, and stopped',
  async (_, name, first, kind, through) => {
    const path = join(project, name);
    writeFileSync(path, first + body(name.endsWith('ts')).replace('CLASS', kind));
    const script = new Script([...through, path, '--mine']);
    await script.event('worker_ready');
    expect(await script.get()).toMatch(/^first \d+ --mine$/);

    process.kill(script.workers()[0]!, 'SIGKILL');
    expect(await script.event('worker_exited')).toMatchObject({ reason: 'killed' });
    await script.event('worker_ready', 2);

    writeFileSync(path, readFileSync(path, 'utf8').replace('first', 'second'));
    script.process.kill('SIGHUP');
    await script.event('reload_finished');
    await script.event('worker_exited', 2);
    expect(await script.get()).toMatch(/^second /);

    script.process.kill('SIGTERM');
    const [code] = await once(script.process, 'close');
    expect([script.text, code]).toEqual([[], 0]);
    expect(script.stdout).toBe('stopped: SIGTERM 0\n');
    expect(script.workers().filter(isAlive)).toEqual([]);
  },
);

test.each(['async', 'threaded'])('hooks are functions of the script, %s', async (kind) => {
  const path = join(project, 'hooks.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    const told = (name) => () => console.log(name, process.connected ? 'worker' : 'master');
    const app = (env, startResponse) => { startResponse('200 OK', [['Content-Type', 'text/plain']]); return ['hooked']; };
    const names = ['onStarting', 'preFork', 'postFork', 'postWorkerInit', 'whenReady', 'preRequest', 'postRequest', 'workerExit', 'childExit', 'onExit'];
    await run(app, { bind: '127.0.0.1:0', workerClass: '${kind}', ...Object.fromEntries(names.map((name) => [name, told(name)])) });`,
  );
  const script = new Script([path]);
  expect(await script.get()).toBe('hooked');
  await eventually(() => script.stdout.includes('postRequest'));
  script.process.kill('SIGTERM');
  expect(await once(script.process, 'close')).toEqual([0, null]);
  expect(script.stdout.trim().split('\n')).toEqual([
    'onStarting master',
    'preFork master',
    'postFork worker',
    'postWorkerInit worker',
    'whenReady master',
    'preRequest worker',
    'postRequest worker',
    'workerExit worker',
    'childExit master',
    'onExit master',
  ]);
});

test('an app by its path has the hooks of the script too', async () => {
  writeFileSync(
    join(project, 'plain.mjs'),
    "export const app = (env, startResponse) => { startResponse('200 OK', [['Content-Type', 'text/plain']]); return [String(globalThis.forked)]; };",
  );
  const path = join(project, 'path-hooks.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    await run('plain.mjs:app', { bind: '127.0.0.1:0', postFork(server, worker) { globalThis.forked = worker.id; } });`,
  );
  const script = new Script([path]);
  expect(await script.get()).toBe('1');
  script.process.kill('SIGTERM');
  expect(await once(script.process, 'close')).toEqual([0, null]);
});

test('a script in CommonJS is served, as the main module of its workers', async () => {
  const path = join(project, 'server.cjs');
  writeFileSync(
    path,
    `const app = (env, start) => { start('200 OK', [['Content-Type', 'text/plain']]); return ['common']; };
    if (require.main === module) require('tsgun').run(app, { bind: '127.0.0.1:0' });`,
  );
  const script = new Script([path]);
  expect(await script.get()).toBe('common');
  script.process.kill('SIGINT');
  expect(await once(script.process, 'close')).toEqual([0, null]);
});

test('the app may be a path, and the script is then not run again', async () => {
  writeFileSync(
    join(project, 'mine.mjs'),
    "export const app = (env, start) => { start('200 OK', [['Content-Type', 'text/plain']]); return ['by path']; };",
  );
  const path = join(project, 'by-path.mjs');
  writeFileSync(
    path,
    "console.log('run'); await (await import('tsgun')).run('mine.mjs:app', { bind: '127.0.0.1:0' });",
  );
  const script = new Script([path]);
  expect(await script.get()).toBe('by path');
  script.process.kill('SIGTERM');
  expect(await once(script.process, 'close')).toEqual([0, null]);
  expect(script.stdout).toBe('run\n');
});

test('an error that the script throws afterwards ends it, as under Node', async () => {
  const path = join(project, 'throws.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    const app = (env, start) => { start('200 OK', [['Content-Type', 'text/plain']]); return ['fine']; };
    await run(app, { bind: '127.0.0.1:0' });
    throw new Error('afterwards');`,
  );
  const script = new Script([path]);
  expect(await script.get()).toBe('fine');
  script.process.kill('SIGTERM');
  expect(await once(script.process, 'close')).toEqual([1, null]);
  expect(script.text).toContain('Error: afterwards');
});

test('run() in a thread fails, because a thread cannot be the master', async () => {
  const path = join(project, 'threads.mjs');
  writeFileSync(
    path,
    `import { isMainThread, Worker } from 'node:worker_threads';
    import { ConfigError, run } from 'tsgun';
    if (isMainThread) new Worker(new URL(import.meta.url));
    else await run(() => []).catch((error) => console.log(error instanceof ConfigError, error.message));`,
  );
  const script = new Script([path]);
  await once(script.process, 'close');
  expect(script.stdout).toBe(
    'true run: this is a worker thread, which signals do not reach; call it in the main thread\n',
  );
});

test.each([
  [
    'fails as it loads in a worker',
    "if (process.argv[1] && process.connected) throw new Error('only here');",
    'only here',
  ],
  ['does not call run in a worker', 'if (process.connected) await 1; else', 'did not call run()'],
])('a script that %s gets an error that says so, and exit code 4', async (_, line, message) => {
  const path = join(project, 'wrong.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    ${line}
    console.log(JSON.stringify(await run(() => [], { bind: '127.0.0.1:0' })));`,
  );
  const script = new Script([path]);
  const [code] = await once(script.process, 'close');
  expect(code).toBe(4);
  expect((await script.event('worker_exited')).error).toContain(message);
  expect(JSON.parse(script.stdout)).toEqual({ exitCode: 4, reason: 'boot_failed' });
});

test.each([
  ["{ workers: 'many' }", 'workers: expected a positive whole number up to 1024 or "auto", got "many" (run())'],
  ['{ wrokers: 2 }', 'wrokers: no such setting; did you mean workers? (run())'],
])('the settings %s are refused', async (settings, message) => {
  const path = join(project, 'refused.mjs');
  writeFileSync(
    path,
    `import { ConfigError, run } from 'tsgun';
    await run(() => [], ${settings}).catch((error) => console.log(error instanceof ConfigError, error.message));`,
  );
  const script = new Script([path]);
  await once(script.process, 'close');
  expect(script.stdout).toBe(`true ${message}\n`);
});

test.each(['async', 'sync', 'threaded'])(
  'onError and logger are of the script, in the master and in workers, %s',
  async (kind) => {
    const path = join(project, 'told.mjs');
    writeFileSync(
      path,
      `import { run } from 'tsgun';
    const where = process.connected ? 'worker' : 'master';
    const say = (fields, msg) => console.error(JSON.stringify({ ...fields, msg, where }));
    const app = (env, startResponse) => { throw new TypeError('mine'); };
    await run(app, {
      bind: '127.0.0.1:0', workerClass: '${kind}',
      logger: { info: say, warn: say, error: say },
      onError: (error, request) => console.log(where, error.name, error.message, request.method, request.target),
    });`,
    );
    const script = new Script([path]);
    expect(await script.get()).toContain('500');
    await eventually(() => script.stdout !== '');
    expect(script.stdout).toBe('worker TypeError mine GET /\n');
    expect(await script.event('request_failed')).toMatchObject({ where: 'worker', error: 'mine' });
    expect(await script.event('worker_ready')).toMatchObject({ where: 'master' });
    script.process.kill('SIGTERM');
    expect(await once(script.process, 'close')).toEqual([0, null]);
    expect(script.text).toEqual([]);
  },
);

test('an aborted signal stops the service, and a second run serves its own app in its workers', async () => {
  const path = join(project, 'twice.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    const app = (text) => (env, startResponse) => { startResponse('200 OK', [['Content-Type', 'text/plain']]); return [text]; };
    async function serve(app, settings) {
      const aborter = new AbortController();
      const ask = async ({ addresses: [{ url, address, port }] }) => {
        const text = await (await fetch(url, { headers: { connection: 'close' } })).text();
        console.log(text, url === 'http://' + address + ':' + port);
        aborter.abort();
      };
      console.log(await run(app, { bind: '127.0.0.1:0', signal: aborter.signal, whenReady: ask, ...settings }));
    }
    await serve(app('first'));
    await run(app('none'), { workers: 'many' }).catch(({ name }) => console.log(name));
    await serve(app('second'));
    await serve(app('third'), { workerClass: 'threaded' });`,
  );
  const script = new Script([path]);
  expect(await once(script.process, 'close')).toEqual([0, null]);
  const stopped = "{ exitCode: 0, reason: 'aborted' }";
  // In the last worker, and in its thread, the calls before are passed by, with what they gave back.
  const lines = script.stdout.trim().split('\n');
  expect(lines.filter((line) => !line.includes('{') && line !== 'ConfigError')).toEqual([
    'first true',
    'second true',
    'third true',
  ]);
  expect(new Set(lines.filter((line) => line.includes('{') || line === 'ConfigError'))).toEqual(
    new Set([stopped, 'ConfigError']),
  );
  expect(script.text).toEqual([]);
});

test('a signal that is aborted already starts no worker', async () => {
  const path = join(project, 'aborted.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    console.log(await run(() => [], { bind: '127.0.0.1:0', signal: AbortSignal.abort() }));
    await run(() => [], { signal: 5 }).catch(({ message }) => console.log(message));`,
  );
  const script = new Script([path]);
  expect(await once(script.process, 'close')).toEqual([0, null]);
  expect(script.workers()).toEqual([]);
  expect(script.stdout).toBe("{ exitCode: 0, reason: 'aborted' }\nsignal: expected an AbortSignal, got 5 (run())\n");
});

// esbuild has no address for a module that it makes CommonJS of.
test.each([
  ['mjs', ['-f', 'esm']],
  ['cjs', ['-f', 'cjs', '--transform.define', 'import.meta.url:globalThis.nowhere']],
])('a script that was bundled with tsgun is told to keep it external (%s)', async (extension, form) => {
  const path = join(project, 'to-bundle.mjs');
  writeFileSync(
    path,
    `import { run } from 'tsgun';
    run(() => [], { bind: '127.0.0.1:0' }).catch(({ name, message }) => console.log(name, message));`,
  );
  const rolldown = join(repository, 'node_modules/rolldown/bin/cli.mjs');
  const folder = join(project, 'bundled/deep');
  const names = ['--entry-file-names', `[name].${extension}`];
  execFileSync(process.execPath, [rolldown, path, '--platform', 'node', ...form, '-d', folder, ...names], {
    stdio: 'ignore',
  });
  const script = new Script([join(folder, `to-bundle.${extension}`)]);
  await once(script.process, 'close');
  expect([script.stdout, ...script.text].join('\n')).toMatch(
    /tsgun's own files are not where it looks for them: .* Keep tsgun external/,
  );
});

test.each(['bun', 'deno'])('%s is told that tsgun runs on Node.js', async (name) => {
  const path = join(project, 'elsewhere.mjs');
  writeFileSync(
    path,
    `import { createServer, run } from 'tsgun';
    Object.defineProperty(process, 'versions', { value: { ...process.versions, ${name}: '9.9' } });
    await run(() => []).catch(({ message }) => console.log(message));
    try { createServer(() => []); } catch ({ message }) { console.log(message); }`,
  );
  const script = new Script([path]);
  await once(script.process, 'close');
  const other = name === 'bun' ? 'Bun 9.9' : 'Deno 9.9';
  expect(script.stdout).toBe(
    `run(): tsgun runs on Node.js 20.19 and later; this is ${other}\ncreateServer(): tsgun runs on Node.js 20.19 and later; this is ${other}\n`,
  );
});
