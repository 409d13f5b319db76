import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder, start } from './harness.ts';

const app = `export default (env, startResponse) => {
  startResponse('200 OK', []); return [JSON.stringify(Object.keys(process.env))] }`;

/** Node has no Unix datagram sockets, so a few lines of Python are the service manager. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + sys.argv[1][1:] if sys.argv[1][0] == '@' else sys.argv[1])
print('listening', flush=True)
while True:
    lines = s.recv(65536).decode().strip().split('\\n')
    if lines != ['BARRIER=1']: print('|'.join(lines), flush=True)
`;

/** Whether the two commands are there; .ci/run installs them. */
function hasCommands(): boolean {
  try {
    for (const command of ['systemd-notify', 'python3']) execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function listen(address: string): Promise<string[]> {
  const messages: string[] = [];
  const python = spawn('python3', ['-c', listener, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void python.kill('SIGKILL'));
  createInterface({ input: python.stdout }).on('line', (line) => messages.push(line));
  await eventually(() => messages.shift() === 'listening');
  return messages;
}

const withoutNumbers = (messages: string[]) =>
  messages.map((line) => line.replace(/MONOTONIC_USEC=\d+/, 'MONOTONIC_USEC'));
/** In order, whatever statuses lie between. */
const states = (messages: string[]) =>
  withoutNumbers(messages).flatMap((line) => /^(READY|RELOADING|STOPPING)=1/.exec(line)?.[0] ?? []);

describe.skipIf(!hasCommands())('the service manager (these tests need systemd-notify and python3)', () => {
  it('is told of readiness, reloads and the stop, in order, and apps cannot speak to it', async () => {
    const { path, write } = makeFolder({ 'app.mjs': app });
    const address = join(path, 'notify');
    const messages = await listen(address);
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '60000000' };
    const tsgun = start('app.mjs', ['-w', '2'], { cwd: path, env });
    await eventually(() => states(messages).length === 1);
    // It comes another way than the log.
    await tsgun.workers(2);
    expect(messages.find((line) => line.startsWith('READY'))).toBe(
      `READY=1|MAINPID=${tsgun.pid}|STATUS=2 workers ready, generation 1`,
    );
    const names = JSON.parse((await tsgun.get('/')).text);
    expect(names.filter((name: string) => /^(NOTIFY|WATCHDOG)_/.test(name))).toEqual([]);

    tsgun.signal('SIGHUP');
    await eventually(() => states(messages).length === 3);
    await eventually(() => messages.some((line) => line.endsWith('STATUS=2 workers ready, generation 2')));
    write('app.mjs', 'throw new Error("not today")');
    tsgun.signal('SIGHUP');
    await eventually(() => states(messages).length === 5);
    await tsgun.stop();
    await eventually(() => states(messages).length === 6);
    const expected = ['READY=1', 'RELOADING=1', 'READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1'];
    expect(states(messages)).toEqual(expected);
    expect(withoutNumbers(messages).filter((line) => line.startsWith('RELOADING=1|MONOTONIC_USEC'))).toHaveLength(2);
  });

  it('may have an abstract socket, and gets signs of life', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const address = `@${path}`;
    const messages = await listen(address);
    const beats = () => messages.filter((line) => line.startsWith('WATCHDOG=1')).length;
    const tsgun = start('app.mjs', [], { cwd: path, env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' } });
    await eventually(() => beats() >= 5);
    await tsgun.stop();
  });

  it('is led to a new master, which gives the signs of life, and hears of no stop before the last one’s', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const address = join(path, 'notify');
    const messages = await listen(address);
    const script = 'export WATCHDOG_PID=$$; exec "$@"';
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
    const tsgun = start('app.mjs', [], { cwd: path, env, through: ['sh', '-c', script, 'sh'] });
    await tsgun.event('worker_ready');
    tsgun.signal('SIGUSR2');
    const { pid } = await tsgun.event('master_started', 2);
    await tsgun.event('worker_ready', 2);
    await tsgun.retire();
    await eventually(() => states(messages).length === 3);
    const since = messages.length;
    await eventually(() => messages.slice(since).filter((line) => line.startsWith('WATCHDOG=1')).length >= 2);
    const mains = messages.flatMap((line) => /MAINPID=(\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(mains).toEqual([tsgun.pid, pid, pid]);
    expect(states(messages)).toEqual(['READY=1', 'READY=1', 'READY=1']);
    process.kill(pid, 'SIGTERM');
    await tsgun.exited;
    await eventually(() => states(messages).at(-1) === 'STOPPING=1');
  });

  it('is told of the stop also when the app cannot be loaded, and never of readiness', async () => {
    const { path } = makeFolder({ 'app.mjs': 'throw new Error("no")' });
    const messages = await listen(join(path, 'notify'));
    const tsgun = start('app.mjs', [], { cwd: path, env: { NOTIFY_SOCKET: join(path, 'notify') } });
    expect(await tsgun.exited).toMatchObject({ code: 4 });
    await eventually(() => states(messages).includes('STOPPING=1'));
    expect(states(messages)).toEqual(['STOPPING=1']);
  });

  it('that does not answer costs one warning', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', [], { cwd: path, env: { NOTIFY_SOCKET: join(path, 'nothing') } });
    await tsgun.workers(1);
    await tsgun.get('/');
    await tsgun.until(() => tsgun.log.some(({ level }) => level === 'warn'), 'the warning');
    expect(await tsgun.stop()).toMatchObject({ code: 0 });
    const warnings = tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warnings).toEqual([expect.stringMatching(/^the service manager cannot be told how the service is: /)]);
  });
});

describe('without the command systemd-notify', () => {
  it('there is one warning, and the service goes on', async () => {
    const { path } = makeFolder({ 'app.mjs': app });
    const tsgun = start('app.mjs', [], { cwd: path, env: { NOTIFY_SOCKET: join(path, 'notify'), PATH: path } });
    await tsgun.workers(1);
    await tsgun.until(() => tsgun.log.some(({ level }) => level === 'warn'), 'the warning');
    tsgun.signal('SIGHUP');
    await tsgun.event('reload_finished');
    expect(await tsgun.get('/')).toMatchObject({ status: 200 });
    await tsgun.stop();
    const warnings = tsgun.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warnings).toEqual([
      'the service manager cannot be told how the service is: there is no command systemd-notify',
    ]);
  });
});
