/** Pidfile and unix sockets are gone however the master ends; and what belongs to another master stays. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventually, isAlive } from './harness.ts';
import { getAt, makeService } from './socket-service.ts';

const config = (code: string) => `export default { bind: 'unix:a.sock', pidfile: 'x.pid', ${code} }`;

describe('pidfile and unix socket are gone', () => {
  it.each([
    ['process.exit() in a hook', 'whenReady() { process.exit(7) }'],
    ['process.reallyExit() in a hook', 'whenReady() { process.reallyExit(7) }'],
  ])('after %s', async (_, hook) => {
    const { run, at } = makeService({ 'tsgun.config.mjs': config(hook) });
    const tsgun = run([]);
    expect(await tsgun.exited).toEqual({ code: 7, signal: null });
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
    await eventually(() => !tsgun.living().some(isAlive));
  });

  it('after process.exit() in a config module that a reload reads', async () => {
    const { run, at, write } = makeService({ 'tsgun.config.mjs': config('') });
    const tsgun = run([]);
    await tsgun.workers(1);
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([true, true]);
    write('tsgun.config.mjs', 'process.exit(7)');
    tsgun.signal('SIGHUP');
    expect(await tsgun.exited).toEqual({ code: 7, signal: null });
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
  });

  it('after an error that escapes while the service starts', async () => {
    const hook = `onStarting() { setTimeout(() => { throw new Error('late') }); return new Promise(() => {}) }`;
    const { run, at } = makeService({ 'tsgun.config.mjs': config(hook) });
    const tsgun = run([]);
    expect((await tsgun.exited).code).not.toBe(0);
    expect(tsgun.text.join('\n')).toContain('late');
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
  });

  it.each(['SIGALRM', 'SIGABRT', 'SIGXCPU', 'SIGSYS'] as const)(
    'after the signal %s, which ends the master as ever',
    async (signal) => {
      const { run, at } = makeService();
      const tsgun = run(['--bind', 'unix:a.sock', '--pidfile', 'x.pid']);
      await tsgun.workers(1);
      tsgun.signal(signal);
      expect(await tsgun.exited).toEqual({ code: null, signal });
      expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
    },
  );

  it('without Node’s internals, too', async () => {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'unix:a.sock', '--pidfile', 'x.pid'], { env: { TSGUN_NO_INTERNALS: '1' } });
    await tsgun.workers(1);
    await tsgun.event('listening');
    tsgun.signal('SIGALRM');
    expect(await tsgun.exited).toEqual({ code: null, signal: 'SIGALRM' });
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
  });
});

describe('of two masters beside each other', () => {
  async function both() {
    const { run, at } = makeService();
    const tsgun = run(['--bind', 'unix:a.sock', '--pidfile', 'x.pid']);
    await tsgun.workers(1);
    tsgun.signal('SIGUSR2');
    const { pid: successor } = await tsgun.event('master_started', 2);
    await tsgun.workers(2);
    return {
      tsgun,
      at,
      successor,
      pidIn: (name: string) => existsSync(at(name)) && Number(readFileSync(at(name), 'utf8')),
    };
  }

  it('the old one leaves the socket to the new one, which then has the pidfile', async () => {
    const { tsgun, at, successor, pidIn } = await both();
    tsgun.signal('SIGALRM');
    await eventually(() => pidIn('x.pid') === successor);
    expect(existsSync(at('x.pid.2'))).toBe(false);
    expect(await getAt(at('a.sock'))).toBe('hello');
    process.kill(successor, 'SIGTERM');
    await tsgun.exited;
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
  });

  it('the new one leaves socket and pidfile to the old one', async () => {
    const { tsgun, at, successor, pidIn } = await both();
    process.kill(successor, 'SIGALRM');
    await eventually(() => !isAlive(successor));
    await eventually(() => tsgun.living().filter(isAlive).length === 1);
    expect([pidIn('x.pid'), pidIn('x.pid.2')]).toEqual([tsgun.pid, false]);
    expect(await getAt(at('a.sock'))).toBe('hello');
    await tsgun.stop();
    expect([existsSync(at('a.sock')), existsSync(at('x.pid'))]).toEqual([false, false]);
  });
});
