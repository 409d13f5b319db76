/** `--reload`: new code is served when a file is saved, and its error where it has one. */

import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder, start, type Tsgun } from './harness.ts';

const tsApp = `import { text } from './lib/a.ts';
export default (env: unknown, startResponse: Function) => { startResponse('200 OK', []); return [text()]; };`;
const outer = `import { inner } from './inner.ts';
import plain from './plain.cjs';
export const text = (): string => [inner, plain.word, process.env.WORD, process.env.LATE].join(' ');`;

function makeProject(files: Record<string, string>) {
  const folder = makeFolder();
  mkdirSync(join(folder.path, 'lib'));
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  return folder;
}

/** What the newest code answers, once a reload that was asked for `count` times in all has ended so. */
async function answer(tsgun: Tsgun, end: 'reload_finished' | 'reload_failed', count: number): Promise<string> {
  const ended = await tsgun.event(end, count);
  // The worker with the error is ready a moment after the reload has failed; it may be spawned by now.
  if (end === 'reload_failed') {
    const before = tsgun.log.slice(0, tsgun.log.indexOf(ended));
    const { generation } = before.findLast(({ event }) => event === 'worker_spawned')!;
    const isReady = () => tsgun.lines('worker_ready').some((line) => Number(line.generation) > Number(generation));
    await tsgun.until(isReady, 'the error is served');
    await tsgun.until(() => tsgun.living().length === 1, 'the old worker has left');
  }
  return tsgun.ask();
}

/** As text: what failed, where, and the code there. */
function handlerError(path: string, file: string): RegExp {
  const place = join(path, 'lib', file).replaceAll('.', '\\.');
  return new RegExp(`^The app failed a request: .*null.*${place}:1:\\d+\\n.*> 1 \\| export const inner = `, 's');
}

/** What the page of such an error waits to see replaced. */
async function failedGeneration(tsgun: Tsgun): Promise<number> {
  const page = await (await fetch(await tsgun.url(), { headers: { accept: 'text/html', connection: 'close' } })).text();
  return Number(/const generation = '(\d+)';/.exec(page)?.[1]);
}

/** What it asks for, without a request to the app. */
async function servedGeneration(tsgun: Tsgun): Promise<number> {
  const headers = { 'x-tsgun-wait': '1', connection: 'close' };
  const { status, headers: answered } = await fetch(await tsgun.url(), { method: 'HEAD', headers });
  expect(status).toBe(204);
  return Number(answered.get('x-tsgun-generation'));
}

describe('a save', () => {
  it('is served, of what imports import too, of CommonJS, the env file and the config; an error is shown until it is mended', async () => {
    const folder = makeProject({
      'app.ts': tsApp,
      'lib/a.ts': outer,
      'lib/inner.ts': "export const inner: string = 'one';",
      'lib/plain.cjs': "exports.word = 'plain';",
      'lib/env.mjs': "export default { LATE: 'early' };",
      'vars.env': 'WORD=var',
    });
    const tsgun = start('app.ts', ['--reload', '--env-file=vars.env'], { cwd: folder.path });
    expect(await tsgun.ask()).toBe('one plain var ');
    const steps: [string, string, string][] = [
      ['lib/inner.ts', "export const inner: string = 'two';", 'two plain var '],
      ['lib/inner.ts', "export const inner: string = 'three';", 'three plain var '],
      ['lib/plain.cjs', "exports.word = 'simple';", 'three simple var '],
      ['vars.env', 'WORD=other', 'three simple other '],
      ['tsgun.config.mjs', "import env from './lib/env.mjs'; export default { env };", 'three simple other early'],
      ['lib/env.mjs', "export default { LATE: 'late' };", 'three simple other late'],
    ];
    let reloads = 0;
    for (const [name, text, expected] of steps) {
      // As editors save: another file, with the old one's name.
      folder.write('saved.tmp', text);
      renameSync(join(folder.path, 'saved.tmp'), join(folder.path, name));
      expect(await answer(tsgun, 'reload_finished', ++reloads)).toBe(expected);
      expect(tsgun.lines('reload_started').at(-1)).toMatchObject({ from: 'watcher', file: join(folder.path, name) });
    }

    folder.write('lib/inner.ts', 'export const inner: string = null!.x;');
    const text = await answer(tsgun, 'reload_failed', 1);
    expect(text).toContain(join(folder.path, 'lib/inner.ts:1'));
    expect(text).toContain('> 1 | export const inner: string = null!.x;');
    expect(tsgun.lines('worker_exited').find(({ reason }) => reason === 'boot_failed')).toMatchObject({
      level: 'error',
      stack: expect.stringContaining('lib/inner.ts:1'),
    });

    const page = await waitingPage(await tsgun.url());
    folder.write('lib/inner.ts', "export const inner: string = 'mended';");
    await once(page.resume(), 'end');
    expect(await answer(tsgun, 'reload_finished', ++reloads)).toBe('mended simple other late');

    // The app loads, and fails each request.
    folder.write('lib/inner.ts', 'export const inner = { toString(): string { return null!.x; } };');
    expect(await answer(tsgun, 'reload_finished', ++reloads)).toMatch(handlerError(folder.path, 'inner.ts'));
    const generation = await failedGeneration(tsgun);
    folder.write('lib/inner.ts', "export const inner: string = 'whole';");
    expect(await answer(tsgun, 'reload_finished', ++reloads)).toBe('whole simple other late');
    expect(await servedGeneration(tsgun)).toBe(generation + 1);
    await tsgun.stop();
  });

  it('is served where a file behind two imports did not compile at the start', async () => {
    const folder = makeProject({
      'app.ts': tsApp,
      'lib/a.ts': outer,
      'lib/plain.cjs': "exports.word = 'plain';",
      'lib/inner.ts': "export const inner: string = 'one;",
    });
    const tsgun = start('app.ts', ['--reload'], { cwd: folder.path });
    expect(await tsgun.ask()).toContain('lib/inner.ts:1');
    folder.write('lib/inner.ts', "export const inner: string = 'one';");
    expect(await answer(tsgun, 'reload_finished', 1)).toBe('one plain  ');
    await tsgun.stop();
  });

  it('is served by threads; an app that fails at the start, vanishes, or ends its process is served as its error', async () => {
    const folder = makeProject({
      'app.mjs': "import './lib/missing.mjs';",
      'lib/inner.mjs': "export const inner = 'one';",
    });
    const tsgun = start('app.mjs', ['--reload', '-k', 'threaded', '--threads=2'], { cwd: folder.path });
    expect(await tsgun.ask()).toMatch(/^The app cannot be served: .*missing\.mjs/);
    expect(tsgun.lines('master_started')).toHaveLength(1);

    folder.write('lib/missing.mjs', 'export {};');
    await tsgun.until(() => tsgun.lines('worker_exited').length > 1, 'another error');
    folder.write(
      'app.mjs',
      "import { inner } from './lib/inner.mjs'; export default (env, start) => { start('200 OK', []); return [String(inner)]; };",
    );
    expect(await answer(tsgun, 'reload_finished', 1)).toBe('one');
    folder.write('lib/inner.mjs', "export const inner = 'two';");
    expect(await answer(tsgun, 'reload_finished', 2)).toBe('two');

    folder.write('lib/inner.mjs', 'export const inner = { toString() { return null.x; } };');
    expect(await answer(tsgun, 'reload_finished', 3)).toMatch(handlerError(folder.path, 'inner.mjs'));
    expect(await servedGeneration(tsgun)).toBe(await failedGeneration(tsgun));

    const failures = tsgun.lines('reload_failed').length;
    rmSync(join(folder.path, 'app.mjs'));
    expect(await answer(tsgun, 'reload_failed', failures + 1)).toMatch(/no file "app\.mjs"/);
    folder.write('app.mjs', 'process.exit(7);');
    expect(await answer(tsgun, 'reload_failed', failures + 2)).toMatch(/ended its (thread|process) with code 7/);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });
});

it('NODE_ENV=production refuses it, of an env file too, unless it is forced', async () => {
  const folder = makeFolder({ 'app.mjs': 'export default () => [];', 'vars.env': 'NODE_ENV=production' });
  for (const [args, env] of [
    [['--reload'], { NODE_ENV: 'production' }],
    [['--reload', '--env-file=vars.env'], { NODE_ENV: undefined }],
  ] as const) {
    const refused = start('app.mjs', args, { cwd: folder.path, env });
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.describe()).toMatch(/^tsgun: reload: .* NODE_ENV is production: .*--reload=force \(--reload\)$/m);
  }
  const forced = start('app.mjs', ['--reload=force'], { cwd: folder.path, env: { NODE_ENV: 'production' } });
  await forced.event('worker_ready');
  expect(forced.log.find(({ msg }) => msg.includes('for development'))).toMatchObject({ level: 'warn' });
  await forced.stop();
});

/** The connection that the script of the page keeps open. */
function waitingPage(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { accept: 'text/event-stream' }, agent: false }, resolve).once('error', reject);
  });
}
