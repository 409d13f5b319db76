import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, makeFolder, start } from './harness.ts';

const app = `
import { writeFileSync } from 'node:fs'
const loadedBy = process.getuid()
export default (env, startResponse) => {
  if (env.PATH_INFO === '/write') writeFileSync('made', '')
  if (env.PATH_INFO === '/log') env['wsgi.errors'].write('from the app\\n')
  startResponse('200 OK', [])
  const { HOME, USER, XDG_CACHE_HOME, NODE_OPTIONS, GREETING, TSGUN_WORKER_ORDER } = process.env
  return [JSON.stringify({ uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), loadedBy,
    HOME, USER, XDG_CACHE_HOME, GREETING, TSGUN_WORKER_ORDER })]
}`;
const isRoot = process.getuid?.() === 0;

/** Of the user nobody, as a number and its group are not the same on every system. */
function nobody() {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('nobody:'))!;
  const [, , uid, gid, , home] = line.split(':');
  return { uid: Number(uid), gid: Number(gid), home };
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** A folder that everyone may enter. */
function makeOpenFolder() {
  const folder = makeFolder({ 'app.mjs': app });
  chmodSync(folder.path, 0o755);
  return folder;
}

describe('--env', () => {
  it('is in the workers, from the command line or the file, and follows a reload', async () => {
    const { path, write } = makeFolder({ 'app.mjs': app, 'tsgun.config.json': '{ "env": { "GREETING": "one" } }' });
    const tsgun = start('app.mjs', [], { cwd: path });
    const say = async () => JSON.parse(await tsgun.ask()).GREETING;
    expect(await say()).toBe('one');
    write('tsgun.config.json', '{ "env": ["GREETING=two=2"] }');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await say()).toBe('two=2');
    write('tsgun.config.json', '{}');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished', 2);
    expect(await say()).toBeUndefined();
    await tsgun.stop();
    const other = start('app.mjs', ['-e', 'A=1', '--env', 'GREETING=x, y'], { cwd: path });
    expect(JSON.parse(await other.ask()).GREETING).toBe('x, y');
    await other.stop();
  });
});

describe('a TSGUN_ variable that is no setting', () => {
  it('is warned about in the log', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', [], { cwd: path, env: { TSGUN_WROKERS: '4' } });
    await tsgun.workers(1);
    expect(tsgun.log.filter(({ level }) => level === 'warn')).toMatchObject([
      { msg: 'TSGUN_WROKERS: no such setting, so it is ignored; did you mean TSGUN_WORKERS?' },
    ]);
    await tsgun.stop();
  });
});

describe('--umask', () => {
  it('is that of files that the master and the app make', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', ['-m', '027'], { cwd: path });
    await tsgun.get('/write');
    expect(statSync(join(path, 'made')).mode & 0o777).toBe(0o640);
    await tsgun.stop();
    const quiet = start('app.mjs', ['--umask', '0o077', '--error-logfile', 'x.log'], { cwd: path });
    await eventually(() => textOf(join(path, 'x.log')).includes('worker_ready'));
    expect(statSync(join(path, 'x.log')).mode & 0o777).toBe(0o600);
    quiet.signal('SIGTERM');
    expect(await quiet.exited).toMatchObject({ code: 0 });
  });
});

describe.skipIf(!isRoot)('--user and --group (these tests need root)', () => {
  it('are those of the workers before the app is loaded, with the home of that user, and not of the master', async () => {
    const { path } = makeOpenFolder();
    const { uid, gid, home } = nobody();
    const tsgun = start('app.mjs', ['-u', 'nobody'], { cwd: path, env: { XDG_CACHE_HOME: '/root/.cache' } });
    const told = JSON.parse(await tsgun.ask());
    expect(told).toEqual({ uid, gid, groups: [gid], loadedBy: uid, HOME: home, USER: 'nobody' });
    expect(statSync(`/proc/${tsgun.pid}`).uid).toBe(0);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it('leave the app no way to have root bind for it: low ports, sockets in its folders, its descriptors', async () => {
    const { path, write } = makeOpenFolder();
    mkdirSync(join(path, 'private'), { mode: 0o700 });
    write(
      'app.mjs',
      `import { createServer } from 'node:net'
      const listen = (where) => new Promise((resolve) =>
        createServer().on('error', ({ code }) => resolve(code)).listen(where, () => resolve('bound')))
      const told = []
      for (const where of [{ port: 1 }, { path: '${path}/private/x.sock' }, { fd: 5 }, { port: 0 }]) told.push(await listen(where))
      export default (env, startResponse) => { startResponse('200 OK', []); return [told.join()] }`,
    );
    const tsgun = start('app.mjs:default', ['-u', 'nobody'], { cwd: path });
    expect(await tsgun.ask()).toBe('EACCES,EACCES,EACCES,bound');
    await tsgun.stop();
  });

  it('may be numbers that no account has', async () => {
    const { path } = makeOpenFolder();
    const tsgun = start('app.mjs', ['-u', '54321', '-g', '54322'], { cwd: path });
    const told = JSON.parse(await tsgun.ask());
    expect(told).toMatchObject({ uid: 54_321, gid: 54_322, groups: [54_322], HOME: '/' });
    await tsgun.stop();
  });

  it('leave the log of a folder that only root may write to writable for the workers', async () => {
    const { path } = makeOpenFolder();
    mkdirSync(join(path, 'log'), { mode: 0o700 });
    const logfile = join(path, 'log', 'x.log');
    const { uid } = nobody();
    const tsgun = start('app.mjs', ['-u', 'nobody', '--error-logfile', logfile, '-p', 'x.pid'], { cwd: path });
    const lines = () => textOf(logfile);
    await eventually(() => lines().includes('"listening"'));
    const { url } = JSON.parse(
      lines()
        .split('\n')
        .find((line) => line.includes('"listening"'))!,
    );
    await fetch(`${url}/log`);
    await eventually(() => lines().includes('from the app'));
    expect(statSync(logfile).uid).toBe(uid);
    tsgun.signal('SIGTERM');
    expect(await tsgun.exited).toMatchObject({ code: 0 });
  });

  it('say clearly when the app is where that user may not go', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    chmodSync(path, 0o700);
    const tsgun = start(join(path, 'app.mjs'), ['-u', 'nobody']);
    expect(await tsgun.exited).toMatchObject({ code: 4 });
    expect(tsgun.lines('worker_exited')[0]!.error).toMatch(
      /^app: ".*app\.mjs" is in a folder that user \d+ may not enter/,
    );
  });

  it.each([
    ['-u', 'no-such-user', 'tsgun: user: expected a user of this system, got "no-such-user" (--user)'],
    ['-g', 'no-such-group', 'tsgun: group: expected a group of this system, got "no-such-group" (--group)'],
  ])('%s %s ends the start with 1', async (option, name, message) => {
    const { path } = makeOpenFolder();
    const tsgun = start('app.mjs', [option, name], { cwd: path });
    expect(await tsgun.exited).toMatchObject({ code: 1 });
    expect(tsgun.text).toEqual([message]);
  });
});
