/** Opens the gate that this Node allows: one that can be shut, or one that holds back what comes while it is shut. */

import type { ConnectionServer } from '../../http/accept.ts';
import type { WorkerSocket } from '../../ipc/messages.ts';
import { openCopier } from '../../node/copier.ts';
import { HoldingGate } from './fallback-gates.ts';
import type { Gate, Take } from './gate.ts';
import { Tap, TapGate } from './tap-gate.ts';

/**
 * An open gate.
 * @param servers one per socket; each is told where it listens
 * @throws ConfigError when an address has been taken since the master saw that it was free
 */
export async function openGate<S extends ConnectionServer>(
  sockets: readonly WorkerSocket[],
  servers: readonly S[],
  backlog: number,
  take: Take<S>,
): Promise<Gate> {
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

export function isInherited(socket: WorkerSocket): socket is Extract<WorkerSocket, { fd: number }> {
  return 'fd' in socket;
}
