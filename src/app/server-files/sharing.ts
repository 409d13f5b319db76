/** Servers that listen for themselves, in each process and each thread: who shares their port between them. */

import net, { type Server } from 'node:net';
// Not the global, which an app may replace.
import { setTimeout } from 'node:timers';
import { listenReally, PretendingServer, takeNextEvent } from '../../node/listen.ts';

/** node:cluster, which knows processes only; between threads the system, or nobody. */
export type Sharing = 'cluster' | 'threads';

/** From this version of Node on, threads can share a port. Before, only the first thread that asks for a port gets it. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const canReusePort = process.platform === 'linux' && (major > 22 || (major === 22 && minor >= 12));

/** How often a thread asks again for a port that another one has. */
const retryMs = 100;

/** @param open how the server listens: given the arguments of `listen` */
export function listenShared(
  server: Server,
  args: readonly unknown[],
  sharing: Sharing,
  open: (args: readonly unknown[]) => void = (each) => listenReally(server, ...each),
): void {
  if (sharing === 'cluster') return open(args);
  const options = asOptions(args);
  if (!canReusePort) leaveToSibling(server, options);
  open(options);
}

/** In a thread `exclusive` means: without node:cluster. */
function asOptions(args: readonly unknown[]): readonly unknown[] {
  const [first, second] = args;
  const callback = args.findLast((arg) => typeof arg === 'function');
  const how = { exclusive: true };
  if (typeof first === 'object' && first !== null)
    return [{ ...first, ...how, ...('port' in first && canReusePort ? { reusePort: true } : {}) }, callback];
  if (typeof first === 'string' && Number.isNaN(Number(first))) return [{ path: first, ...how }, callback];
  const port = typeof first === 'function' || first === undefined ? 0 : Number(first);
  const host = typeof second === 'string' ? { host: second } : {};
  return [{ port, ...host, ...how, ...(canReusePort ? { reusePort: true } : {}) }, callback];
}

/**
 * The program has asked for the port once, and not once for each thread: that another thread has it is not its error. The server
 * pretends to listen, and does listen once the other has ended, such as at a reload.
 */
function leaveToSibling(server: Server, options: readonly unknown[]): void {
  takeNextEvent(server, (event, error) => {
    if (event !== 'error' || Object(error).code !== 'EADDRINUSE') return false;
    const { address = '::', port = -1 } = Object(error) as { address?: string; port?: number };
    const seen = port < 0 ? address : { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port };
    const pretending = new PretendingServer(server, {
      address: () => seen,
      countConnections: () => 0,
      onClose: () => true,
    });
    pretending.unref();
    process.nextTick(() => pretending.tell());
    const again = () => {
      if (!pretending.isListening) return;
      const probe = new net.Server();
      probe.once('error', () => setTimeout(again, retryMs).unref());
      probe.once('listening', () => pretending.takeOver(probe));
      listenReally(probe, ...withoutCallback(options));
    };
    setTimeout(again, retryMs).unref();
    return true;
  });
}

export function withoutCallback(args: readonly unknown[]): readonly unknown[] {
  return args.filter((arg) => typeof arg !== 'function');
}
