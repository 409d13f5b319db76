/** What becomes of the service when something is wrong with its log file. */

import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDescriptors } from '../descriptors.ts';
import { freePort } from '../ports.ts';
import { eventually, isAlive, type LogLine, makeFolder, start, Tsgun } from './harness.ts';

const hello = `export default (env, startResponse) => { startResponse('200 OK', []); return ['hello'] }`;

function serve() {
  const { path } = makeFolder({ 'app.mjs': hello });
  const logs = join(path, 'logs');
  mkdirSync(logs);
  const tsgun = start('app.mjs', ['--workers', '2', '--error-logfile', join(logs, 'error.log')], { cwd: path });
  const read = (folder = logs) => {
    try {
      const lines = readFileSync(join(folder, 'error.log'), 'utf8').split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as LogLine);
    } catch {
      return [];
    }
  };
  const count = (event: string, folder = logs) => read(folder).filter((line) => line.event === event).length;
  const ready = (folder = logs) =>
    read(folder).flatMap(({ event, pid }) => (event === 'worker_ready' && isAlive(pid) ? [pid] : []));
  return { tsgun, logs, moved: `${logs}.moved`, read, count, ready };
}

describe('the log file', () => {
  it('whose folder is gone costs no worker at USR1, and new ones come without it', async () => {
    const { tsgun, logs, moved, read, count, ready } = serve();
    await eventually(() => ready().length === 2);
    const pids = ready();
    renameSync(logs, moved);
    tsgun.signal('SIGUSR1');
    const failures = () => read(moved).filter(({ msg }) => msg.startsWith('the log file cannot be reopened'));
    await eventually(() => failures().length === 3);
    expect(new Set(failures().map(({ pid }) => pid))).toEqual(new Set([tsgun.pid, ...pids]));
    process.kill(pids[0]!, 'SIGKILL');
    await eventually(() => count('worker_exited', moved) === 1 && ready(moved).length === 2);
    expect(ready(moved)).toContain(pids[1]);
    // The log itself may be where nobody looks any more.
    const notReopened = 'the log file cannot be reopened: the old one stays in use';
    const notOpened = 'the log file cannot be opened: this worker logs to stderr';
    await tsgun.until(() => tsgun.log.length >= 4, 'what each of them has to say of it');
    expect(tsgun.log.map(({ msg }) => msg)).toEqual([notReopened, notReopened, notReopened, notOpened]);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it('whose folder is gone at HUP keeps the old generation, and standard error says why', async () => {
    const { tsgun, logs, moved, count, ready } = serve();
    await eventually(() => ready().length === 2);
    const pids = ready();
    renameSync(logs, moved);
    tsgun.signal('SIGHUP');
    const why = /^reload given up: errorLogfile: expected a file that can be written, got .*: its folder is not there/;
    await tsgun.until(() => tsgun.log.some(({ msg }) => why.test(msg)), 'the reason');
    await eventually(() => count('reload_failed', moved) === 1);
    expect(ready(moved)).toEqual(pids);
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
  });

  it.skipIf(process.platform !== 'linux')('on a full disk costs nothing, and standard error says so', async () => {
    const { path } = makeFolder({ 'app.mjs': hello });
    const bind = await freePort();
    const args = ['app.mjs', '--bind', `127.0.0.1:${bind}`, '--error-logfile', '/dev/full'];
    const tsgun = new Tsgun(args, { cwd: path });
    await tsgun.until(() => tsgun.log.length > 0, 'a word about the log');
    expect(tsgun.log).toEqual([
      expect.objectContaining({
        level: 'error',
        pid: tsgun.pid,
        file: '/dev/full',
        error: expect.stringMatching(/ENOSPC/),
        msg: expect.stringMatching(/^the error log cannot be written: /),
      }),
    ]);
    await eventually(() =>
      fetch(`http://127.0.0.1:${bind}/`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    expect(tsgun.log).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')('is open once in the master, however many reloads there were', async () => {
    const { tsgun, logs, moved, count, ready } = serve();
    await eventually(() => ready().length === 2);
    const open = () => openDescriptors(tsgun.pid!).filter((target) => target.endsWith('error.log'));
    for (let reload = 1; reload <= 3; reload++) {
      tsgun.signal('SIGHUP');
      await eventually(() => count('reload_finished') === reload);
    }
    await eventually(() => open().length === 1);
    // As gunicorn does, a reload begins the file anew where it has been moved.
    renameSync(logs, moved);
    mkdirSync(logs);
    tsgun.signal('SIGHUP');
    await eventually(() => count('reload_finished') === 1);
    await eventually(() => open().join() === join(logs, 'error.log'));
    await tsgun.stop();
  });
});
