/** This process plays the older master: it has bound the sockets, and starts a newer one with them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../src/config/load.ts';
import { address } from '../../src/config/values/addresses.ts';
import { bindAll } from '../../src/master/sockets/listeners.ts';
import { describeHandover, shareFiles } from '../../src/master/succession/handover.ts';
import { onTestFinished } from '../current.ts';
import { openDescriptors } from '../descriptors.ts';
import { connectCode, getAt, getUrl, makeService, tcpSocket } from './socket-service.ts';

async function bindHere(binds: readonly string[], origin = 'the command line') {
  const bind = binds.map(address);
  const listeners = await bindAll(bind);
  onTestFinished(() => {
    for (const listener of listeners) listener.close();
  });
  const configuration = { settings: { bind }, origins: { bind: origin } };
  const handover = describeHandover(configuration as unknown as Configuration, listeners)!;
  return { listeners, env: handover.env, descriptors: handover.stdio };
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

describe('a master that is handed its sockets', () => {
  it('adopts those its configuration names instead of binding them, and tells its workers nothing of it', async () => {
    const { run, at } = makeService();
    const { listeners, env, descriptors } = await bindHere([`unix:${at('a.sock')}`, '127.0.0.1:0']);
    const port = listeners[1]!.endpoint!.port;
    const tsgun = run(['-w', '2', '--bind', '127.0.0.1:0', '--bind', 'unix:a.sock'], { env, descriptors });
    await tsgun.event('listening', 2);
    expect(tsgun.lines('listening').map((line) => line.address)).toEqual([`127.0.0.1:${port}`, `unix:${at('a.sock')}`]);
    expect(await getUrl(`http://127.0.0.1:${port}/left`)).toBe('[]');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await getAt(at('a.sock'))).toBe('hello');
    expect(tsgun.lines('listening')).toHaveLength(2);
    await tsgun.stop();
  });

  it('leaves a unix socket’s file to the older one while that lives', async () => {
    const { run, at } = makeService();
    const { listeners, env, descriptors } = await bindHere([`unix:${at('a.sock')}`]);
    const tsgun = run(['--bind', 'unix:a.sock'], { env, descriptors });
    await tsgun.workers(1);
    shareFiles(listeners, tsgun.pid);
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(true);
    listeners[0]!.close();
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it('keeps the file when the older one goes first, and removes it as the last', async () => {
    const { run, at } = makeService();
    const { listeners, env, descriptors } = await bindHere([`unix:${at('a.sock')}`]);
    // As it is for the newer one once the older is gone.
    const TSGUN_SOCKETS = env.TSGUN_SOCKETS!.replace(`"sharedWith":${process.pid}`, `"sharedWith":${await deadPid()}`);
    const tsgun = run(['--bind', 'unix:a.sock'], { env: { TSGUN_SOCKETS }, descriptors });
    await tsgun.workers(1);
    shareFiles(listeners, tsgun.pid);
    listeners[0]!.close();
    expect(await getAt(at('a.sock'))).toBe('hello');
    await tsgun.stop();
    expect(existsSync(at('a.sock'))).toBe(false);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('closes those that its configuration does not name', async () => {
    const { run, at } = makeService();
    const { env, descriptors } = await bindHere([`unix:${at('a.sock')}`, '127.0.0.1:0', `unix:${at('b.sock')}`]);
    const [unnamed, alsoUnnamed, named] = descriptors.map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    const tsgun = run(['--bind', 'unix:b.sock', '--bind', 'unix:c.sock'], { env, descriptors });
    await tsgun.event('listening', 2);
    const open = openDescriptors(tsgun.pid);
    expect(open).toContain(named);
    expect(open).not.toContain(unnamed);
    expect(open).not.toContain(alsoUnnamed);
    expect(tsgun.lines('listening').map((line) => line.address)).toEqual([
      `unix:${at('b.sock')}`,
      `unix:${at('c.sock')}`,
    ]);
    expect(await connectCode(at('c.sock'))).toBe('connected');
    await tsgun.stop();
  });

  it('knows fd://N by the number that the older one had, and nothing by the numbers of its own', async () => {
    const { run, write } = makeService();
    const fd = tcpSocket();
    const { listeners, env, descriptors } = await bindHere(['127.0.0.1:0', `fd://${fd}`]);
    write('tsgun.config.json', JSON.stringify({ bind: `fd://${fd}` }));
    const tsgun = run([], { env, descriptors });
    const { url } = await tsgun.event('listening');
    expect(url).toBe(`http://${listeners[1]!.address}`);
    expect(await getUrl(String(url))).toBe('hello');
    write('tsgun.config.json', JSON.stringify({ bind: 'fd://3' }));
    tsgun.signal('SIGHUP');
    expect((await tsgun.event('reload_failed')).error).toBe(
      'bind: fd://3 was not handed over by the master before this one: start tsgun anew',
    );
    await tsgun.stop();
  });

  it('goes on with sockets that came from systemd, in place of bind', async () => {
    const { run } = makeService();
    const { listeners, env, descriptors } = await bindHere([`fd://${tcpSocket()}`], '$LISTEN_FDS');
    const tsgun = run(['--bind', '127.0.0.1:0'], { env, descriptors });
    const { url } = await tsgun.event('listening');
    expect(url).toBe(`http://${listeners[0]!.address}`);
    expect(await getUrl(`${url}/left`)).toBe('[]');
    await tsgun.stop();
  });

  it.each([
    ['nonsense', 'nonsense', 'expected what a master of tsgun sets for its successor, got nonsense'],
    [
      'a descriptor that is not there',
      '[{"key":"h:1","address":"h:1","fd":77}]',
      'descriptor 77 (h:1) is not a socket',
    ],
  ])('refuses %s', async (_, TSGUN_SOCKETS, message) => {
    const tsgun = makeService().run(['--bind', '127.0.0.1:0'], { env: { TSGUN_SOCKETS } });
    expect(await tsgun.exited).toEqual({ code: 1, signal: null });
    expect(tsgun.text).toEqual([`tsgun: TSGUN_SOCKETS: ${message}`]);
  });
});
