/** The steps of docs/getting-started.md, and the proxies of docs/deploying.md in front of its app. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, Tsgun } from '../integration/harness.ts';
import { freePort } from '../ports.ts';
import { codeOf } from './markdown.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(repository, 'docs', page), 'utf8');
  return codeOf({ name: page, text })
    .filter((block) => block.language === language)
    .map(({ code }) => code);
}

const has = (program: string) => spawnSync(program, ['-v']).status === 0;

/** The page's files, as a user has them after the steps 1 to 3; but on a free port. */
function project() {
  const folder = makeFolder({ 'package.json': '{ "type": "module" }' });
  for (const text of blocks('getting-started.md', 'js')) {
    // Others are parts of a file.
    const name = /^\/\/ (\S+)\n/.exec(text)?.[1];
    if (name !== undefined) folder.write(name, text.replace('127.0.0.1:8000', '127.0.0.1:0'));
  }
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(repository, join(folder.path, 'node_modules/tsgun'));
  symlinkSync(join(repository, 'node_modules/express'), join(folder.path, 'node_modules/express'));
  return folder;
}

/** A proxy in front of the app, with the page's configuration; ended with the test. */
async function proxy(file: string, args: readonly string[], port: number): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const url = `http://127.0.0.1:${port}/`;
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${file} ended:\n${errors}`);
    return fetch(url).then(
      (response) => response.text().then(() => true),
      () => false,
    );
  });
  return url;
}

it('the steps of the page work, and no request is lost at a reload, directly or through nginx and HAProxy', async () => {
  const folder = project();
  const tsgun = new Tsgun(['app.js'], { cwd: folder.path });
  await tsgun.workers(2);
  expect((await tsgun.get('/')).text).toBe('version 1\n');

  const upstream = new URL(await tsgun.url()).host;
  const urls = [await tsgun.url()];
  if (has('nginx')) {
    const port = await freePort();
    const server = blocks('deploying.md', 'nginx')[0]?.replace('127.0.0.1:8000', upstream) ?? '';
    folder.write('shop.conf', server.replace('listen 80;', `listen 127.0.0.1:${port};`));
    const own = `pid ${folder.path}/nginx.pid; error_log stderr; daemon off; events {}`;
    folder.write('nginx.conf', `${own} http { access_log off; include ${folder.path}/shop.conf; }`);
    urls.push(await proxy('nginx', ['-p', folder.path, '-c', `${folder.path}/nginx.conf`], port));
  }
  if (has('haproxy')) {
    const port = await freePort();
    const text = blocks('deploying.md', 'haproxy')[0]?.replace('127.0.0.1:8000', upstream) ?? '';
    folder.write('haproxy.cfg', text.replace('bind :80', `bind 127.0.0.1:${port}`));
    urls.push(await proxy('haproxy', ['-f', `${folder.path}/haproxy.cfg`], port));
  }

  folder.write('app.js', (blocks('getting-started.md', 'js')[0] ?? '').replace('version 1', 'version 2'));
  process.kill(Number(readFileSync(join(folder.path, 'tsgun.pid'), 'utf8')), 'SIGHUP');
  for (const url of urls)
    await eventually(async () => {
      const text = await (await fetch(url)).text();
      expect(text).toMatch(/^version [12]\n$/);
      return text === 'version 2\n';
    });
  await tsgun.event('reload_finished');

  folder.write('app.js', 'broken(');
  tsgun.signal('SIGHUP');
  expect((await tsgun.event('reload_failed')).msg).toMatch(/^reload given up/);
  expect((await tsgun.get('/')).text).toBe('version 2\n');
  expect(await tsgun.stop()).toMatchObject({ code: 0 });
  expect(tsgun.stdout).toMatch(/"GET \/ HTTP\/1\.1" 200/);
});
