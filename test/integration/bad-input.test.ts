import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeFolder, start, Tsgun } from './harness.ts';

const apps = {
  'good.ts': `import type { App } from 'tsgun'
const app: App = (env, startResponse) => { startResponse('200 OK', []); return ['good'] }
export default app`,
  'throws.ts': 'interface A { a: 1 }\n\nthrow new Error("no database")',
  'exits.mjs': 'process.exit(5)',
  'rejects.mjs':
    'setTimeout(() => { throw new Error("too late") }); await new Promise(() => { setTimeout(() => {}, 60_000) })',
};

/** Ends by itself: gives the code, and every line it wrote. */
async function fails(args: string[]) {
  const { path } = makeFolder(apps);
  const tsgun = new Tsgun(['--bind', '127.0.0.1:0', ...args], { cwd: path });
  const { code } = await tsgun.exited;
  const errors = tsgun.log.filter(({ level }) => level === 'fatal' || level === 'error' || level === 'warn');
  return { code, text: tsgun.text.join('\n'), errors, spawned: tsgun.lines('worker_spawned').length };
}

describe('an address that cannot be bound exits 1 with one line, before any worker runs', () => {
  it('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, text, spawned } = await fails(['good.ts', '--bind', `127.0.0.1:${port}`]);
    other.close();
    expect(text).toBe(
      `tsgun: bind: 127.0.0.1:${port} is in use by another process: stop that one, or take another port with --bind (EADDRINUSE)`,
    );
    expect({ code, spawned }).toEqual({ code: 1, spawned: 0 });
  });
});

describe('an app that cannot be loaded exits 4 with its error, once, however many workers there are', () => {
  // What each kind of app is told: errors/apps.test.ts.
  it.each([
    ['a file that is not there', 'none.ts', /^app: no file "none\.ts" \(looked for \/.*none\.ts\)$/, undefined],
    ['an error at import', 'throws.ts', /^app: throws\.ts failed to load: no database$/, /throws\.ts:3:/],
    [
      'an error that escapes while loading',
      'rejects.mjs',
      /^app: an error escaped it while loading: too late$/,
      /rejects\.mjs:1:/,
    ],
  ])('%s', async (_, app, message, stack) => {
    const { code, errors, text } = await fails([app, '--workers', '2']);
    expect(text).toBe('');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ event: 'worker_exited', reason: 'boot_failed' });
    expect(errors[0]!.error).toMatch(message);
    if (stack !== undefined) expect(errors[0]!.stack).toMatch(stack);
    expect(code).toBe(4);
  });
});

describe('a worker that cannot boot exits 3', () => {
  it('when the app ends the process while loading', async () => {
    const { code, errors } = await fails(['exits.mjs', '--workers', '2']);
    expect(errors).toHaveLength(1);
    expect(errors[0]!.error).toBe(
      'app: it ended its process with code 5 while it was loaded: does it call process.exit()?',
    );
    expect(errors[0]!.stack).toMatch(/^Error: process\.exit\(5\)\n +at .*exits\.mjs:1:9/);
    expect(code).toBe(3);
  });

  it('when the app ends its thread while loading', async () => {
    const { errors } = await fails(['exits.mjs', '-k', 'threaded', '--threads', '2']);
    expect(errors.map(({ error }) => error)).toEqual([
      'app: it ended its thread with code 5 while it was loaded: does it call process.exit()?',
    ]);
  });

  it('when the app is not loaded within boot-timeout', async () => {
    const { path } = makeFolder({ 'app.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000))' });
    const tsgun = start('app.mjs', ['--boot-timeout', '0.5'], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 3 });
    expect(tsgun.lines('worker_exited')[0]!.error).toMatch(/^worker not ready within 0\.5 s \(bootTimeout\)/);
  });
});

describe('an app that is long in loading', () => {
  // It computes for a moment at a time: both take ten seconds.
  const spin =
    'function spin() {\n  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);\n}\nspin();\n';

  it('and computes without a pause has its stack in the log', async () => {
    const { path } = makeFolder({ 'app.mjs': spin });
    const tsgun = start('app.mjs', ['--boot-timeout', '30'], { cwd: path });
    const isStalled = ({ msg }: { msg: string }) => msg === 'worker stalled while it loads the app';
    await tsgun.until(() => tsgun.log.some(isStalled), 'a stall');
    const stack = expect.stringMatching(/at spin \(.*app\.mjs:2/);
    expect(tsgun.log.filter(isStalled)).toMatchObject([{ level: 'warn', worker: 1, stack }]);
  });

  it('and computes in a thread has its stack in the log', async () => {
    const { path } = makeFolder({ 'app.mjs': spin });
    const tsgun = start('app.mjs', ['-k', 'threaded', '--threads', '1', '--boot-timeout', '120'], { cwd: path });
    const isLate = ({ msg }: { msg: string }) => msg.endsWith('code of the app has not returned, see the stack');
    await tsgun.until(() => tsgun.log.some(isLate), 'a warning');
    const stack = expect.stringMatching(/at spin \(.*app\.mjs:2/);
    expect(tsgun.log.filter(isLate)).toMatchObject([{ level: 'warn', worker: 1, stack }]);
  });

  it('and does not become ready has its stack in the error', async () => {
    const { path } = makeFolder({ 'app.mjs': spin });
    const tsgun = start('app.mjs', ['--boot-timeout', '12', '--check-config'], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 3 });
    expect(tsgun.text.join('\n')).toMatch(
      /code of the app has not returned, see the stack\n {4}at spin \(.*app\.mjs:2/,
    );
  });

  it.each(['async', 'threaded'])('because it awaits something is named, once for all workers: %s', async (name) => {
    const { path } = makeFolder({ 'app.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000))' });
    const threads = name === 'threaded' ? ['--threads', '1'] : [];
    const args = ['--boot-timeout', '16', '-k', name, ...threads, '--workers', '2'];
    const tsgun = start('app.mjs', args, { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 3 });
    const why = 'app.mjs has not finished loading: does it, or its factory, await something that does not come?';
    expect(tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg)).toEqual([
      `a worker is not ready yet (tsgun waits up to 16 s, see bootTimeout): ${why}`,
    ]);
    expect(tsgun.lines('worker_exited')[0]!.error).toBe(`worker not ready within 16 s (bootTimeout): ${why}`);
  });
});

describe('the command', () => {
  it('names a missing env file by itself, before Node does', async () => {
    const { path } = makeFolder({ 'app.mjs': 'export default () => [];' });
    const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const { status, stderr } = spawnSync(command, ['app.mjs', '--env-file', 'nope'], { cwd: path, encoding: 'utf8' });
    expect(stderr).toBe(
      `tsgun: envFile: expected a file that can be read, got "${path}/nope": it is not there (--env-file)\n`,
    );
    expect(status).toBe(1);
  });

  it('prints its help by section and its version', async () => {
    const help = new Tsgun(['--help']);
    expect(await help.exited).toMatchObject({ code: 0 });
    for (const text of ['tsgun [options] APP', 'Sockets', 'Workers', '--worker-class', '[async]'])
      expect(help.stdout).toContain(text);
    const version = new Tsgun(['--version']);
    expect(await version.exited).toMatchObject({ code: 0 });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('takes settings from the file, the environment and the command line, the last ranking highest', async () => {
    const { path } = makeFolder({
      ...apps,
      'tsgun.config.json': '{ "workers": 2, "procName": "from-file", "keepAlive": 5 }',
    });
    const tsgun = start('good.ts', ['--workers', '1'], {
      cwd: path,
      env: { WEB_CONCURRENCY: '4', TSGUN_WORKERS: '3' },
    });
    expect(await tsgun.event('master_started')).toMatchObject({ workers: 1 });
    expect(await tsgun.get('/')).toMatchObject({ text: 'good' });
    await tsgun.stop();
  });
});
