import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

const appThatSays = (version: string) => `
export default (env, startResponse) => { startResponse('200 OK', []); return ['${version} in ' + process.cwd()] }`;

/** Two releases, and the link `current` to the first. */
function deployment() {
  const { path } = makeFolder();
  const current = join(path, 'current');
  for (const name of ['one', 'two']) {
    mkdirSync(join(path, name));
    writeFileSync(join(path, name, 'app.mjs'), appThatSays(name));
    writeFileSync(join(path, name, 'tsgun.config.json'), JSON.stringify({ procName: `release-${name}` }));
  }
  const pointTo = (name: string) => {
    symlinkSync(name, join(path, 'next'));
    renameSync(join(path, 'next'), current);
  };
  pointTo('one');
  return { path, current, pointTo };
}

describe('the working directory', () => {
  it('is found anew by its name: after a link has moved, HUP loads the release that it points to, and no worker does before', async () => {
    const { path, current, pointTo } = deployment();
    const tsgun = start('app.mjs', [], { cwd: current, env: { PWD: current } });
    const [first] = await tsgun.workers(1);
    pointTo('two');
    process.kill(first!, 'SIGKILL');
    await tsgun.workers(2);
    expect(await tsgun.ask()).toBe(`one in ${path}/one`);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await tsgun.ask()).toBe(`two in ${path}/two`);

    // Where the new release does not boot, it is the one of before again.
    writeFileSync(join(path, 'one', 'app.mjs'), 'throw new Error("not today")');
    pointTo('one');
    const [serving] = tsgun.lines('worker_ready').slice(-1);
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_failed');
    process.kill(serving!.pid, 'SIGKILL');
    await tsgun.workers(4);
    expect(await tsgun.ask()).toBe(`two in ${path}/two`);
    await tsgun.stop();
  });

  it('may be deleted and made anew, and HUP goes into the new one', async () => {
    const { path } = deployment();
    const tsgun = start('app.mjs', [], { cwd: join(path, 'one') });
    await tsgun.workers(1);
    rmSync(join(path, 'one'), { recursive: true });
    tsgun.signal('SIGHUP');
    const failed = await tsgun.event('reload_failed');
    expect(failed.error).toBe(`directory: expected a directory, got "${path}/one": it is not there`);
    mkdirSync(join(path, 'one'));
    writeFileSync(join(path, 'one', 'app.mjs'), appThatSays('new'));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await tsgun.ask()).toBe(`new in ${path}/one`);
    await tsgun.stop();
  });

  it('that is gone when a worker dies is named in the log, and the master lives on', async () => {
    const { path } = deployment();
    const tsgun = start('app.mjs', [], { cwd: join(path, 'one') });
    const [pid] = await tsgun.workers(1);
    rmSync(join(path, 'one'), { recursive: true });
    process.kill(pid!, 'SIGKILL');
    const failed = await tsgun.event('worker_exited', 2);
    expect(failed.error).toBe(
      `cannot start a worker: its directory ${path}/one is gone: a reload (HUP) takes the new one`,
    );
    await tsgun.stop();
  });

  it('that is gone at the start ends it with 1', () => {
    const { path } = makeFolder();
    const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" app.mjs';
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, command], {
      cwd: path,
      encoding: 'utf8',
    });
    expect(stderr).toBe('tsgun: directory: the working directory has been deleted: start tsgun in one that is there\n');
    expect(status).toBe(1);
  });

  it('is not what a $PWD of another directory says', async () => {
    const { path } = deployment();
    const tsgun = start('app.mjs', [], { cwd: join(path, 'one'), env: { PWD: join(path, 'two') } });
    expect(await tsgun.ask()).toBe(`one in ${path}/one`);
    await tsgun.stop();
  });
});

describe('--chdir', () => {
  it('is where the app and files are; the config file is looked up before', async () => {
    const { path, pointTo } = deployment();
    writeFileSync(join(path, 'tsgun.config.json'), '{ "chdir": "current", "pidfile": "x.pid" }');
    const tsgun = start('app.mjs', [], { cwd: path });
    expect(await tsgun.ask()).toBe(`one in ${path}/one`);
    expect(() => rmSync(join(path, 'one', 'x.pid'))).not.toThrow();
    pointTo('two');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await tsgun.ask()).toBe(`two in ${path}/two`);
    expect(() => rmSync(join(path, 'two', 'x.pid'))).not.toThrow();
    await tsgun.stop();
  });

  it('that is not there ends the start with 1', async () => {
    const { path } = makeFolder();
    const tsgun = start('app.mjs', ['--chdir', 'nowhere'], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 1 });
    expect(tsgun.text).toEqual([
      `tsgun: chdir: expected a directory, got "${path}/nowhere": it is not there (--chdir)`,
    ]);
  });
});
