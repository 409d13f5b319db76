import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { makeFolder, start } from './harness.ts';

const app = `import { getHeapStatistics } from 'node:v8';
export default (env, startResponse) => {
  startResponse('200 OK', []);
  const { FIRST, SECOND, THIRD, FOURTH, TSGUN_WORKERS } = process.env;
  const heapMiB = Math.round(getHeapStatistics().heap_size_limit / 2 ** 20);
  return [JSON.stringify({ FIRST, SECOND, THIRD, FOURTH, TSGUN_WORKERS, heapMiB, options: process.execArgv })];
};`;

/** Of a plain node with these options. */
function heapMiBOf(...options: string[]): number {
  const print = 'Math.round(v8.getHeapStatistics().heap_size_limit / 2 ** 20)';
  return Number(execFileSync(process.execPath, [...options, '--print', print], { env: {}, encoding: 'utf8' }));
}

describe('--env-file', () => {
  it.each(['async', 'sync', 'threaded'])(
    'sets variables of the workers, and is read anew at each reload: %s',
    async (name) => {
      const { path, write } = makeFolder({
        'app.mjs': app,
        '.env': 'FIRST=file\nSECOND=file\nTHIRD=file\nTSGUN_WORKERS=3\n',
      });
      const options = ['-k', name, '--env-file', '.env', '-e', 'THIRD=option'];
      const tsgun = start('app.mjs', options, { cwd: path, env: { SECOND: 'environment' } });
      const expected = { FIRST: 'file', SECOND: 'environment', THIRD: 'option', TSGUN_WORKERS: '3' };
      expect(JSON.parse(await tsgun.ask())).toMatchObject(expected);
      expect(await tsgun.event('master_started')).toMatchObject({ workers: 1 });
      expect(tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg)).toEqual([
        'envFile: TSGUN_WORKERS in an env file is for the app and changes no setting; put it into the environment or a config file (--env-file)',
      ]);

      write('.env', 'FIRST=new\nFOURTH=new\n');
      tsgun.signal('SIGHUP');
      await tsgun.event('reload_finished');
      const answer = JSON.parse(await tsgun.ask());
      expect(answer).toMatchObject({ FIRST: 'new', SECOND: 'environment', THIRD: 'option', FOURTH: 'new' });
      expect(answer).not.toHaveProperty('TSGUN_WORKERS');
      await tsgun.stop();
    },
  );

  it('that is broken gives a reload up, and its values stay out of the log', async () => {
    const { path, write } = makeFolder({ 'app.mjs': app, '.env': 'FIRST=file' });
    const tsgun = start('app.mjs', ['--env-file', '.env'], { cwd: path });
    await tsgun.workers(1);
    write('.env', 'FIRST="secret');
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toMatch(
      /^envFile: expected NAME=VALUE, got a value that does not end, of "FIRST" \(.*\.env:1\)$/,
    );
    expect(JSON.parse(await tsgun.ask())).toMatchObject({ FIRST: 'file' });
    expect(tsgun.describe()).not.toContain('secret');
    await tsgun.stop();
  });
});

describe('--node-options', () => {
  it.each(['async', 'sync', 'threaded'])('reach the workers and their threads, not the master: %s', async (name) => {
    const { path } = makeFolder({ 'app.mjs': app, 'before.mjs': 'process.env.FIRST = "imported";' });
    const options = ['-k', name, '--node-options', '--max-old-space-size=333 --import ./before.mjs'];
    const tsgun = start('app.mjs', options, { cwd: path });
    const { options: seen, heapMiB, FIRST } = JSON.parse(await tsgun.ask());
    expect(seen).toEqual(['--max-old-space-size=333', '--import', './before.mjs']);
    expect(FIRST).toBe('imported');
    // The limit counts the young generation too, whose size depends on the version. A thread has a share of its own.
    expect(heapMiB).toBe(heapMiBOf('--max-old-space-size=333'));
    expect(heapMiBOf('--max-old-space-size=333')).toBeLessThan(heapMiBOf());
    await tsgun.stop();
  });

  it('change at a reload, and those that Node refuses give it up', async () => {
    const config = (options: string) => JSON.stringify({ nodeOptions: options });
    const { path, write } = makeFolder({ 'app.mjs': app, 'tsgun.config.json': config('--stack-size=900') });
    const tsgun = start('app.mjs', [], { cwd: path });
    expect(JSON.parse(await tsgun.ask()).options).toEqual(['--stack-size=900']);
    write('tsgun.config.json', config('--no-such-option'));
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toMatch(/got --no-such-option \(tsgun\.config\.json:1\)$/);
    write('tsgun.config.json', config('--stack-size=901'));
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(JSON.parse(await tsgun.ask()).options).toEqual(['--stack-size=901']);
    await tsgun.stop();
  });
});
