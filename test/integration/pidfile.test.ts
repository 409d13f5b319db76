import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { openDescriptors } from '../descriptors.ts';
import { makeFolder, start } from './harness.ts';

const app = `export default (env, startResponse) => { startResponse('200 OK', []); return ['hello'] }`;

describe('--pidfile', () => {
  it('names the master while it lives, and is gone afterwards', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['--pidfile', 'x.pid'], { cwd: path });
    await tsgun.event('master_started');
    expect(readFileSync(join(path, 'x.pid'), 'utf8')).toBe(`${tsgun.pid}\n`);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    expect(readdirSync(path)).toEqual(['app.mjs']);
  });

  it('is gone too when the app cannot be loaded', async () => {
    const { path } = makeFolder({ 'app.mjs': 'throw new Error("no")' });
    const tsgun = start('app.mjs', ['--pidfile', 'x.pid'], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 4 });
    expect(readdirSync(path)).toEqual(['app.mjs']);
  });

  it('of a master that was killed is replaced, with a warning', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const first = start('app.mjs', ['-p', 'x.pid'], { cwd: path });
    await first.workers(1);
    await first.stop('SIGKILL').catch(() => {});
    const second = start('app.mjs', ['-p', 'x.pid'], { cwd: path });
    await second.workers(1);
    expect(readFileSync(join(path, 'x.pid'), 'utf8')).toBe(`${second.pid}\n`);
    expect(second.log.filter(({ level }) => level === 'warn')).toMatchObject([
      { msg: 'the pidfile of a master that is gone is replaced', pidfile: join(path, 'x.pid') },
    ]);
    await second.stop();
  });

  it('of a master that runs ends the start of another with 1, and is left alone', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const first = start('app.mjs', ['-p', 'x.pid'], { cwd: path });
    await first.workers(1);
    const second = start('app.mjs', ['-p', 'x.pid'], { cwd: path });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.text).toEqual([
      `tsgun: pidfile: ${path}/x.pid says process ${first.pid}, which is running: stop that one first, or remove the file if that is no tsgun`,
    ]);
    expect(readFileSync(join(path, 'x.pid'), 'utf8')).toBe(`${first.pid}\n`);
    expect(await first.get('/')).toMatchObject({ text: 'hello' });
    await first.stop();
  });

  it.each([
    ['a program', () => spawn('sleep', ['60'], { stdio: 'ignore' })],
    [
      'another Node program',
      () => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', 'tsgun'], { stdio: 'ignore' }),
    ],
  ])('that names a living process which is no tsgun is stale: %s', async (_, run) => {
    const { path } = makeFolder({ 'app.mjs': app });
    const other = run();
    onTestFinished(() => void other.kill());
    writeFileSync(join(path, 'x.pid'), `${other.pid}\n`);
    const tsgun = start('app.mjs', ['-p', 'x.pid'], { cwd: path });
    await tsgun.workers(1);
    expect(readFileSync(join(path, 'x.pid'), 'utf8')).toBe(`${tsgun.pid}\n`);
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toMatchObject([
      { msg: `the pidfile says process ${other.pid}, which is no tsgun: it is replaced` },
    ]);
    await tsgun.stop();
  });

  it('names a tsgun also when its title says something else', async () => {
    const config = 'export default { pidfile: "x.pid", onStarting() { process.title = "something else" } }';
    const { path } = makeFolder({ 'app.mjs': app, 'tsgun.config.mjs': config });
    const first = start('app.mjs', [], { cwd: path });
    await first.workers(1);
    const second = start('app.mjs', [], { cwd: path });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.text).toEqual([expect.stringContaining(`x.pid says process ${first.pid}, which is running`)]);
    // One descriptor, however often it is written.
    first.signal('SIGHUP');
    await first.event('reload_finished');
    expect(openDescriptors(first.pid).filter((name) => name.endsWith('x.pid'))).toHaveLength(1);
    await first.stop();
  });

  it('is not touched by a start that is refused for its address', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const first = start('app.mjs', [], { cwd: path });
    const { port } = new URL(await first.url());
    writeFileSync(join(path, 'x.pid'), '999999999\n');
    const second = start('app.mjs', ['-p', 'x.pid', '--bind', `127.0.0.1:${port}`], { cwd: path });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(readFileSync(join(path, 'x.pid'), 'utf8')).toBe('999999999\n');
    await first.stop();
  });

  it('moves with a reload that has changed it, and stays with one that fails', async () => {
    const { path, write } = makeFolder({ 'app.mjs': app, 'tsgun.config.json': '{ "pidfile": "one.pid" }' });
    const pidIn = (name: string) => existsSync(join(path, name)) && readFileSync(join(path, name), 'utf8');
    const tsgun = start('app.mjs', [], { cwd: path });
    await tsgun.workers(1);
    write('tsgun.config.json', '{ "pidfile": "two.pid" }');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect([pidIn('one.pid'), pidIn('two.pid')]).toEqual([false, `${tsgun.pid}\n`]);

    const other = start('app.mjs', ['-p', 'three.pid'], { cwd: makeFolder({ 'app.mjs': app }).path });
    await other.event('master_started');
    write('three.pid', `${other.pid}\n`);
    write('tsgun.config.json', '{ "pidfile": "three.pid" }');
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toMatch(`three.pid says process ${other.pid}`);
    write('tsgun.config.json', '{ "pidfile": "four.pid" }');
    write('app.mjs', 'throw new Error("not today")');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_failed', 2);
    expect([pidIn('two.pid'), pidIn('four.pid')]).toEqual([`${tsgun.pid}\n`, false]);
    await tsgun.stop();
    expect([pidIn('two.pid'), pidIn('three.pid')]).toEqual([false, `${other.pid}\n`]);
    await other.stop();
  });
});
