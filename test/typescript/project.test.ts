/** A project that has all of TypeScript that Node itself does not run, as it is and in other kinds of packages. */

import { chmodSync, cpSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeFolder, type StartOptions, start } from '../integration/harness.ts';

const project = fileURLToPath(new URL('project', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const answer = {
  decorators: {
    logged: ['method', 'shape', 'class'],
    required: 'no engine',
    type: true,
    parameters: ['Object', 'Engine'],
    returns: true,
    cycle: 'Post',
  },
  properties: { shape: { sides: 3 }, own: ['shape', 'motor', 'name', 'engine'], started: 'started 1 undefined' },
  json: ['hello', 2],
  jsx: ['<b>4</b>', '<i>p</i>'],
  enums: ['Red', 's', 7],
  modules: ['legacy.cjs', 3, 'assigned.cts', 'an ES module', 'written.mts', 'function', '/', 'Post'],
  lazy: 3,
  typeError: 'not a number',
  main: { require: true, file: 'app.ts', argument: 'app.ts', meta: true },
  names: ['app.ts', 'app.ts', true, true],
};

/** A copy of the project that a test may change. */
function copy(change: (path: string) => void): string {
  const { path } = makeFolder();
  cpSync(project, path, { recursive: true });
  symlinkSync(modules, join(path, 'node_modules'));
  change(path);
  return path;
}

function replace(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

async function expectAnswer(directory: string, args: readonly string[] = [], options: StartOptions = {}) {
  const tsgun = start('src/app.ts', args, { cwd: directory, ...options });
  const response = await tsgun.get('/');
  expect(JSON.parse(response.text)).toEqual(answer);
  await tsgun.get('/fail');
  const failure = await tsgun.event('request_failed');
  expect(failure.stack).toMatch(
    /^Error: this is line 58: 1\n +at fail \(.*src\/app\.ts:58:9\)\n +at .*src\/app\.ts:48:/,
  );
  // Node and the compiler print nothing of their own.
  expect(tsgun.text).toEqual([]);
  await tsgun.stop();
}

const emptyCache = () => ({ XDG_CACHE_HOME: makeFolder().path });

describe('a project with all of TypeScript', () => {
  it.each(['async', 'threaded', 'sync'])('runs as it is, and its stacks show its lines (%s)', async (workerClass) => {
    await expectAnswer(project, ['--worker-class', workerClass, '--threads', '2']);
  });

  it('runs when it was never compiled before, from what was kept then, and anew where that is cut off', async () => {
    const env = emptyCache();
    await expectAnswer(project, [], { env });
    await expectAnswer(project, [], { env });
    const kept = join(env.XDG_CACHE_HOME, 'tsgun');
    // Beside them is the folder `code`, for what V8 made.
    const files = readdirSync(kept, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const { name } of files) truncateSync(join(kept, name), 150);
    await expectAnswer(project, [], { env });
  });

  it('runs where nothing can be kept', async () => {
    const { path } = makeFolder({ file: '' });
    await expectAnswer(project, [], { env: { XDG_CACHE_HOME: join(path, 'file') } });
  });

  it.skipIf(process.getuid?.() !== 0)('runs as another user, who has no home', async () => {
    const path = copy(() => {});
    chmodSync(path, 0o755);
    await expectAnswer(path, ['--user', 'nobody'], { env: emptyCache() });
  });
});

describe('the same project in another kind of package', () => {
  it.each(['async', 'threaded'])('of ES modules (%s)', async (workerClass) => {
    const path = copy((directory) => replace(join(directory, 'package.json'), '{', '{ "type": "module",'));
    await expectAnswer(path, ['--worker-class', workerClass, '--threads', '2']);
  });

  it('of CommonJS', async () => {
    const path = copy((directory) => replace(join(directory, 'package.json'), '{', '{ "type": "commonjs",'));
    await expectAnswer(path);
  });

  it.each(['async', 'threaded'])('where a file awaits at its top (%s)', async (workerClass) => {
    const path = copy((directory) =>
      replace(join(directory, 'src/routes/index.ts'), 'export enum', 'await Promise.resolve(); export enum'),
    );
    // Then all are ES modules: neither what is only a type nor what Node does not see in CommonJS is there by its name.
    replace(join(path, 'src/all.ts'), 'export { Shape', 'export { type Shape');
    replace(join(path, 'src/app.ts'), 'import { times } from', 'const { times } = legacy; import');
    await expectAnswer(path, ['--worker-class', workerClass, '--threads', '2']);
  });
});

it('a reload finds the files as they are then', async () => {
  const path = copy(() => {});
  const tsgun = start('src/app.ts', [], { cwd: path });
  expect((await tsgun.get('/')).text).toContain('"hello"');
  replace(join(path, 'src/data.json'), 'hello', 'good day');
  replace(join(path, 'src/routes/index.ts'), 'most = 7', 'most = 8');
  tsgun.signal('SIGHUP');
  await tsgun.event('reload_finished');
  const { json, enums } = JSON.parse(await tsgun.ask());
  expect({ json, enums }).toEqual({ json: ['good day', 2], enums: ['Red', 's', 8] });
  await tsgun.stop();
});
