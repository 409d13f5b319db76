/** Opens the best gate that this Node allows: one that can be shut, or one that holds connections back while it is shut. */

import type { ConnectionServer } from '../../http/accept.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import { openCopier } from '../../node/copier.ts';
import { DescriptorGate } from './descriptor-gate.ts';
import { HoldingGate, ReceivingGate } from './fallback-gates.ts';
import type { Gate, Take } from './gate.ts';
import { Tap, TapGate } from './tap-gate.ts';

export interface GateOptions<S extends ConnectionServer> {
  readonly sockets: readonly WorkerSocket[];
  /** One per socket. Each is given its address. */
  readonly servers: readonly S[];
  readonly backlog: number;
  readonly shortages: Shortages;
  readonly take: Take<S>;
}

/** @returns an open gate @throws ConfigError if an address was taken after the master found it free */
export function openGate<S extends ConnectionServer>(options: GateOptions<S>): Promise<Gate> {
  return guarded(options, openPlain);
}

/** A gate through which connections can come one at a time. Without Node's internals, the master sends them. */
export function openTurnGate<S extends ConnectionServer>(options: GateOptions<S>): Promise<Gate> {
  const isOwn = options.sockets.every(isInherited);
  return guarded(
    options,
    isOwn ? openPlain : async ({ sockets, servers, take }) => ReceivingGate.open(sockets, servers, take),
  );
}

async function guarded<S extends ConnectionServer>(
  options: GateOptions<S>,
  open: (options: GateOptions<S>) => Promise<Gate>,
): Promise<Gate> {
  const { sockets, shortages } = options;
  let guard: DescriptorGate | undefined;
  const gate = await open({
    ...options,
    take: (server, incoming, peer) => {
      options.take(server, incoming, peer);
      guard?.note(incoming);
    },
  });
  const descriptorGate = new DescriptorGate(gate, {
    sockets: sockets.length,
    connections: () => options.servers.reduce((sum, { connectionCount }) => sum + connectionCount, 0),
    onOut: (code) => shortages.tell({ of: 'descriptors', where: 'accept', code }),
    onLeak: () => shortages.onLeak?.(),
  });
  guard = descriptorGate;
  shortages.onDescriptors = () => descriptorGate.check();
  return descriptorGate;
}

async function openPlain<S extends ConnectionServer>({
  sockets,
  servers,
  backlog,
  take,
}: GateOptions<S>): Promise<Gate> {
  const copier = await openCopier();
  if (copier !== undefined && sockets.every(isInherited)) {
    const taps = sockets.map(({ address, fd }, index) => {
      const server = servers[index]!;
      return new Tap(address, fd, backlog, copier, server, (incoming, peer) => take(server, incoming, peer));
    });
    const areUsable = await Promise.all(taps.map((tap) => tap.fill()));
    if (areUsable.every(Boolean)) return new TapGate(taps);
    throw new Error('a listening socket cannot be copied: set TSGUN_NO_INTERNALS=1');
  }
  const gate = new HoldingGate(take);
  for (const [index, socket] of sockets.entries()) await gate.add(socket, servers[index]!, backlog);
  return gate;
}

function isInherited(socket: WorkerSocket): socket is Extract<WorkerSocket, { fd: number }> {
  return 'fd' in socket;
}
