import { describe, expect, it } from 'vitest';
import { canBindForOthers } from '../../src/node/bind.ts';
import { eventually, isAlive, start, type Tsgun } from './harness.ts';
import { getUrl } from './socket-service.ts';

const fib = new URL('../../apps/fib.ts', import.meta.url).pathname;

/** The pid of the master that USR2 started. */
async function upgrade(tsgun: Tsgun): Promise<number> {
  tsgun.signal('SIGUSR2');
  await tsgun.event('master_started', 2);
  await tsgun.event('worker_ready', 2);
  return tsgun.lines('master_started')[1]!.pid;
}

describe.skipIf(!canBindForOthers)('a new master beside the old one (USR2)', () => {
  it('serves on the same sockets, also when the old one has gone', async () => {
    const tsgun = start(fib, [], { isDetached: true });
    await tsgun.workers(1);
    const url = await tsgun.url('/7');
    const successor = await upgrade(tsgun);
    expect(await getUrl(url)).toBe('fib: 13\n');
    tsgun.signal('SIGWINCH');
    await tsgun.event('worker_exited');
    expect(await getUrl(url)).toBe('fib: 13\n');
    expect(await tsgun.retire()).toMatchObject({ code: 0 });
    expect(await getUrl(url)).toBe('fib: 13\n');
    process.kill(successor, 'SIGTERM');
    await tsgun.event('shutdown_finished', 2);
    await eventually(() => !isAlive(successor));
  });

  it('can be taken back: the old one gets its workers by HUP, and goes on alone', async () => {
    const tsgun = start(fib, [], { isDetached: true });
    await tsgun.workers(1);
    const url = await tsgun.url('/7');
    const successor = await upgrade(tsgun);
    tsgun.signal('SIGWINCH');
    await tsgun.event('worker_exited');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    process.kill(successor, 'SIGTERM');
    await tsgun.until(() => tsgun.log.some(({ successor: pid, code }) => pid === successor && code === 0), 'the exit');
    expect(await getUrl(url)).toBe('fib: 13\n');
    await tsgun.stop();
  });

  it('is one at a time: a second USR2 is refused, to the old one and to the new one', async () => {
    const tsgun = start(fib, [], { isDetached: true });
    await tsgun.workers(1);
    const successor = await upgrade(tsgun);
    const refusals = () => tsgun.log.filter(({ msg }) => msg.startsWith('ignored: master'));
    tsgun.signal('SIGUSR2');
    await tsgun.until(() => refusals().length === 1, 'the first refusal');
    process.kill(successor, 'SIGUSR2');
    await tsgun.until(() => refusals().length === 2, 'the second refusal');
    expect(refusals()).toMatchObject([
      { pid: tsgun.pid, other: successor },
      { pid: successor, other: tsgun.pid },
    ]);
    process.kill(successor, 'SIGTERM');
    await tsgun.event('shutdown_finished');
    await tsgun.stop();
  });
});
