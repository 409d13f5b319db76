/** Ports for servers that are started later: free now, and not given to another test until then. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which systems give ports to those that ask for any: from 32768 on Linux, from 49152 elsewhere. */
const firstPort = 20_000;
/** For each process that runs tests beside this one. */
const portsEach = 500;

const own = firstPort + (Number(process.env.VITEST_POOL_ID) - 1) * portsEach;
/** Other runs of the tests on this machine begin elsewhere. */
let next = Math.floor(Math.random() * portsEach);

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsEach; tries++) {
    const port = own + (next++ % portsEach);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free from ${own} to ${own + portsEach - 1}`);
}

/** Each of them another. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** On all addresses. */
async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port);
  const isListening = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  if (isListening) {
    probe.close();
    await once(probe, 'close');
  }
  return isListening;
}
