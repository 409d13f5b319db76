/** `npm create tsgun`. test/create/matrix.sh does the same with packed packages and the registry. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageManager } from '../../packages/create-tsgun/src/make.ts';
import { languages, nameProblem, parseOptions, templateNames } from '../../packages/create-tsgun/src/options.ts';
import { makeFolder, start } from '../integration/harness.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const command = join(repository, 'packages/create-tsgun/dist/main.js');

function create(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, npm_config_user_agent: 'npm/11', ...env } } as const;
  return spawnSync(process.execPath, [command, ...args], options);
}

/** What an installation would bring. */
function linkPackages(project: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  mkdirSync(join(project, 'node_modules'));
  for (const name of Object.keys(dependencies)) {
    const target = name === 'tsgun' ? repository : join(repository, 'node_modules', name);
    symlinkSync(target, join(project, 'node_modules', name));
  }
}

const combinations = templateNames.flatMap((template) => languages.map((language) => [template, language] as const));

describe('a new project', () => {
  it.each(combinations)('of %s in %s passes its tests', (template, language) => {
    const { path } = makeFolder();
    const made = create(path, ['shop', '--template', template, '--language', language, '--no-install']);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(made.stdout).toContain('cd shop\n  npm install\n  npm run dev');
    const project = join(path, 'shop');
    linkPackages(project);
    const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ['--test'], { cwd: project, encoding: 'utf8', env });
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/pass 3\b/);
  });

  it('starts with its own configuration, and has what a deploy needs', async () => {
    const { path } = makeFolder();
    create(path, ['shop', '--no-install']);
    const project = join(path, 'shop');
    linkPackages(project);
    const tsgun = start('src/app.ts', ['--workers', '1'], { cwd: project });
    expect(await tsgun.ask('/')).toBe('Hello from tsgun\n');
    await tsgun.stop();
    expect(readdirSync(project)).toEqual(expect.arrayContaining(['Dockerfile', '.dockerignore', '.gitignore']));
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const { name, dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    expect([name, dependencies.tsgun]).toEqual(['shop', `^${version}`]);
  });
});

describe('what cannot be made is said, and nothing is written', () => {
  it.each([
    [['Shop Front', '--yes'], /got "Shop Front"; write shop-front/],
    [['node_modules'], /got "node_modules"/],
    [['shop', '--template', 'rails'], /--template: expected wsgi, express, hono, fastify, got "rails"/],
    [['shop', '--language', 'coffee'], /--language: expected ts, js, got "coffee"/],
    [['shop', '--frobnicate'], /Unknown option '--frobnicate'/],
    [['one', 'two'], /one directory only, got one and two/],
    [[], /no directory given/],
  ])('%j', (args, message) => {
    const { path } = makeFolder();
    const { status, stderr } = create(path, args);
    expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(readdirSync(path)).toEqual([]);
  });

  it('a directory with files in it, a file, and a directory that may not be written', () => {
    const { path } = makeFolder({ file: '' });
    mkdirSync(join(path, 'full/.git'), { recursive: true });
    writeFileSync(join(path, 'full/notes.txt'), 'mine');
    expect(create(path, ['full']).stderr).toMatch(/full is not empty \(notes\.txt\)/);
    expect(create(path, ['file']).stderr).toMatch(/file is a file/);
    expect(create(path, ['/proc/shop']).stderr).toMatch(/\/proc\/shop cannot be written/);
    expect(readdirSync(join(path, 'full')).sort()).toEqual(['.git', 'notes.txt']);
  });

  it('no network: the project is there, and the error says how to go on', () => {
    const { path } = makeFolder();
    const offline = {
      npm_config_registry: 'http://127.0.0.1:1/',
      npm_config_cache: join(path, 'cache'),
      npm_config_fetch_retries: '0',
    };
    const { status, stderr } = create(path, ['shop', '--language', 'js'], offline);
    expect(status).toBe(1);
    expect(stderr).toContain('the registry cannot be reached');
    expect(stderr).toContain(`cd ${join(path, 'shop')} && npm install`);
    expect(existsSync(join(path, 'shop/src/app.js'))).toBe(true);
  });
});

it('names that npm takes are taken, and the package manager is the one that is used', () => {
  expect(['shop', 'my-app', './a/b.c', '.'].map(nameProblem).slice(0, 3)).toEqual([undefined, undefined, undefined]);
  expect(nameProblem('')).toMatch(/got none/);
  expect(['pnpm/10 npm/?', 'yarn/4', 'bun/1', 'npm/11', ''].map(packageManager)).toEqual([
    'pnpm',
    'yarn',
    'bun',
    'npm',
    'npm',
  ]);
  expect(parseOptions(['shop', '-t', 'HONO', '-l', 'js', '-y'])).toMatchObject({ template: 'hono', yes: true });
});

it('its version is that of tsgun, whose next version it would otherwise miss', () => {
  const versionOf = (file: string) => JSON.parse(readFileSync(join(repository, file), 'utf8')).version;
  expect(versionOf('packages/create-tsgun/package.json')).toBe(versionOf('package.json'));
});
