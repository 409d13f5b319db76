import { describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../../src/logger.ts';
import { Notifier, type Send, takeServiceManager } from '../../../src/master/surroundings/notify.ts';
import { onTestFinished } from '../../current.ts';

/** A service manager that takes a message when the test says so. */
function manager() {
  const sent: string[][] = [];
  const pending: Parameters<Send>[1][] = [];
  const said: string[] = [];
  const log: Logger = { event: () => {}, say: (_, __, message) => said.push(message), reopen: () => {} };
  const send: Send = (assignments, done) => {
    sent.push([...assignments]);
    pending.push(done);
  };
  const notifier = new Notifier({ send, watchdogMs: undefined, environment: {} });
  notifier.start(log, () => {});
  const take = async (error: Error | null = null) => {
    await Promise.resolve();
    pending.shift()?.(error);
    await Promise.resolve();
  };
  return { notifier, sent, pending, said, take };
}

describe('messages to the service manager', () => {
  it('go one at a time and in order, and of the statuses only the last', async () => {
    const { notifier, sent, pending, take } = manager();
    notifier.describe('1');
    notifier.ready();
    await Promise.resolve();
    expect(sent).toEqual([['READY=1', `MAINPID=${process.pid}`, 'STATUS=1']]);
    notifier.describe('2');
    notifier.reloading();
    notifier.describe('3');
    notifier.stopping();
    await Promise.resolve();
    expect(pending).toHaveLength(1);
    await take();
    expect(sent[1]).toEqual(['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/), 'STATUS=3']);
    await take();
    expect(sent[2]).toEqual(['STOPPING=1']);
    notifier.describe('3');
    await take();
    expect(sent).toHaveLength(3);
  });

  it('do not pile up signs of life', async () => {
    const { notifier, sent, take } = manager();
    for (let count = 0; count < 9; count++) notifier.alive();
    await take();
    await take();
    expect(sent).toEqual([['WATCHDOG=1']]);
  });

  it('give a sign of life only if what is to be watched answers, twice in every interval', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const sent: string[][] = [];
    const send: Send = (assignments, done) => {
      sent.push([...assignments]);
      done(null);
    };
    const notifier = new Notifier({ send, watchdogMs: 1000, environment: {} });
    let isRunning = true;
    let asked = 0;
    notifier.start({ event: () => {}, say: () => {}, reopen: () => {} }, () => {
      asked++;
      if (isRunning) notifier.alive();
    });
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toEqual(Array(4).fill(['WATCHDOG=1']));
    isRunning = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toBe(8);
    expect(sent).toHaveLength(4);
    await notifier.end(0);
  });

  it('are given up with one warning when there is no command, and never keep the master waiting', async () => {
    const { notifier, sent, said, take } = manager();
    notifier.ready();
    notifier.stopping();
    const end = notifier.end(3_600_000);
    await take(Object.assign(new Error('spawn systemd-notify ENOENT'), { code: 'ENOENT' }));
    await end;
    notifier.describe('unheard');
    await take();
    expect(sent).toHaveLength(1);
    expect(said).toEqual(['the service manager cannot be told how the service is: there is no command systemd-notify']);
  });

  it('are tried again after another failure, with one warning for all', async () => {
    const { notifier, sent, said, take } = manager();
    notifier.ready();
    await take(new Error('refused'));
    notifier.stopping();
    await take(new Error('refused again'));
    expect(sent.map(([first]) => first)).toEqual(['READY=1', 'STOPPING=1']);
    expect(said).toEqual(['the service manager cannot be told how the service is: refused']);
  });
});

describe('what the service manager puts into the environment', () => {
  it('is taken out of it, as workers and apps are not to speak for the service', () => {
    const env = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '3000000', OTHER: '1' };
    const { watchdogMs, environment } = takeServiceManager(env)!;
    expect(env).toEqual({ OTHER: '1' });
    expect(watchdogMs).toBe(3000);
    expect(environment).toEqual({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '3000000' });
  });

  it.each([
    ['for this process', String(process.pid), 3000],
    ['for another', '1', undefined],
  ])('asks for a watchdog %s', (_, WATCHDOG_PID, expected) => {
    expect(takeServiceManager({ NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '3000000', WATCHDOG_PID })?.watchdogMs).toBe(
      expected,
    );
  });

  it('may be nothing', () => expect(takeServiceManager({ WATCHDOG_USEC: '1' })).toBeUndefined());
});
