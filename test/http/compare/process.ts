/** A server in a process of its own: started, waited for until it answers, and stopped by its id. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const bootMs = 20_000;
const stopMs = 10_000;
const maxLogBytes = 4000;

/** @throws Error that holds what the process said */
export async function openProcess(port: number, command: readonly string[]): Promise<{ close(): Promise<void> }> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-maxLogBytes);
    });
  child.on('error', (error) => {
    log += error.message;
  });
  const hasExited = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const close = async () => {
    if (hasExited()) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await exited;
    clearTimeout(timer);
  };

  const deadline = Date.now() + bootMs;
  while (!(await answers(port))) {
    if (!hasExited() && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    await close();
    throw new Error(`${command.join(' ')} does not answer:\n${log}`);
  }
  return { close };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n');
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(2000) });
    return bytes.includes(' 200 ');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
