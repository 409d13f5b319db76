/** What becomes of the service when tsgun's own files are gone, as while `npm ci` runs, or only root's to read. */

import { chmodSync, cpSync, mkdirSync, realpathSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start, type Tsgun } from './harness.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const apps = {
  wsgi: `export default (env, startResponse) => {
    if (env.PATH_INFO === '/escape') setTimeout(() => { throw new Error('escaped') })
    if (env.PATH_INFO === '/fail') throw new Error('failed')
    startResponse('200 OK', [])
    return [String(process.pid)]
  }`,
  node: `export default (req, res) => {
    if (req.url === '/fail') throw new Error('failed')
    res.end(String(process.pid))
  }`,
  fetch: `export default { fetch(request) {
    if (request.url.endsWith('/fail')) throw new Error('failed')
    return new Response(String(process.pid))
  } }`,
};

/** An installation of its own, with all that it depends on, which can be taken away. */
function install() {
  const { path, write } = makeFolder();
  const place = join(path, 'installed');
  mkdirSync(place);
  for (const name of ['dist', 'package.json'])
    cpSync(realpathSync(join(root, name)), join(place, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  return {
    path,
    place,
    write,
    command: join(place, 'dist/cli.js'),
    remove: () => renameSync(place, `${place}.gone`),
    putBack: () => renameSync(`${place}.gone`, place),
  };
}

const gone = /tsgun's own files cannot be loaded: .*USR2/;

async function survives(tsgun: Tsgun): Promise<void> {
  expect((await tsgun.get('/fail')).status).toBe(500);
  expect(await tsgun.event('request_failed')).toMatchObject({ error: 'failed' });
  tsgun.signal('SIGUSR1');
  await tsgun.until(() => tsgun.log.some(({ msg }) => msg === 'log files reopened'), 'the reopening');
  expect((await tsgun.get('/')).status).toBe(200);
  expect(tsgun.lines('worker_exited')).toEqual([]);
}

const cases = (['async', 'sync', 'threaded'] as const).flatMap((workerClass) =>
  (['wsgi', 'node', 'fetch'] as const).map((name) => ({ workerClass, name })),
);

describe.each(cases)('tsgun, whose files are gone while it serves $name in the $workerClass class,', (at) => {
  it('serves on, and logs the errors of the app', async () => {
    const { path, write, command, remove } = install();
    write('app.mjs', apps[at.name]);
    const tsgun = start('app.mjs', ['--worker-class', at.workerClass], { cwd: path, command });
    await tsgun.workers(1);
    remove();
    await survives(tsgun);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });
});

describe('tsgun, whose files are gone,', () => {
  it('keeps the old generation at a reload, and names USR2', async () => {
    const { path, write, command, remove } = install();
    write('app.mjs', apps.wsgi);
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path, command });
    const pids = await tsgun.workers(2);
    remove();
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toMatch(gone);
    expect(tsgun.living()).toEqual(pids);
    expect((await tsgun.get('/')).status).toBe(200);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('says so where a worker is to be replaced, and replaces it when they are back', async () => {
    const { path, write, command, remove, putBack } = install();
    write('app.mjs', apps.wsgi);
    const tsgun = start('app.mjs', ['--workers', '2'], { cwd: path, command });
    const [first] = await tsgun.workers(2);
    remove();
    process.kill(first!, 'SIGKILL');
    await tsgun.until(() => tsgun.log.some(({ error }) => gone.test(String(error))), 'the reason');
    putBack();
    await tsgun.workers(3);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('of which some are left, says so too', async () => {
    const { path, place, write, command } = install();
    write('app.mjs', apps.wsgi);
    const tsgun = start('app.mjs', [], { cwd: path, command });
    const pids = await tsgun.workers(1);
    renameSync(join(place, 'dist/chunks'), join(place, 'dist/moved'));
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toMatch(gone);
    expect(tsgun.living()).toEqual(pids);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('replaces the threads that end', async () => {
    const { path, write, command, remove } = install();
    write('app.mjs', apps.wsgi);
    const args = ['--worker-class', 'threaded', '--threads', '1'];
    const tsgun = start('app.mjs', args, { cwd: path, command });
    await tsgun.workers(1);
    remove();
    for (let count = 1; count <= 3; count++) {
      await tsgun.get('/escape');
      const ended = () => tsgun.log.filter(({ msg }) => msg === 'a thread ended: it is being replaced').length;
      await tsgun.until(() => ended() === count, 'the end of a thread');
      await eventually(async () => (await tsgun.get('/')).status === 200);
    }
    expect(tsgun.lines('worker_exited')).toEqual([]);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });
});

describe.skipIf(process.getuid?.() !== 0)('tsgun, whose files only root can read,', () => {
  it.each(cases)('serves $name as another user in the $workerClass class', async ({ name, workerClass }) => {
    const { path, place, write, command } = install();
    write('app.mjs', apps[name]);
    chmodSync(path, 0o755);
    chmodSync(place, 0o700);
    const args = ['--user', 'nobody', '--worker-class', workerClass];
    const tsgun = start('app.mjs', args, { cwd: path, command });
    await tsgun.workers(1);
    await survives(tsgun);
    expect(tsgun.log.filter(({ level, event }) => level !== 'info' && event !== 'request_failed')).toEqual([]);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });
});
