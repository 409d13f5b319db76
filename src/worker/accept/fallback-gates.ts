/** Gates for a Node whose sockets cannot be copied: one holds back what comes, one is fed by the master. */

import { type Server, Socket } from 'node:net';
import { type ConnectionServer, createListener, endOf, setLocalEnd } from '../../http/accept.ts';
import { listenToMaster, sendToMaster } from '../../ipc/channel.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import type { Gate, Take } from './gate.ts';
import { listen } from './listen.ts';

/** Where sockets cannot be copied: what comes while it is shut is held, unread, until it opens. */
export class HoldingGate<S extends ConnectionServer> implements Gate {
  isOpen = true;
  readonly leavesToOthers = false;
  readonly descriptorsToOpen = 0;
  private readonly take: Take<S>;
  private readonly listeners: Server[] = [];
  private readonly held: (() => void)[] = [];

  constructor(take: Take<S>) {
    this.take = take;
  }

  async add(socket: WorkerSocket, server: S, backlog: number): Promise<void> {
    const listener = createListener(server, (incoming, peer) => {
      if (this.isOpen) this.take(server, incoming, peer);
      else this.held.push(() => this.take(server, incoming, peer));
    });
    this.listeners.push(await listen(listener, socket, backlog));
  }

  open(): void {
    this.isOpen = true;
    while (this.isOpen) {
      const next = this.held.shift();
      if (next === undefined) return;
      next();
    }
  }

  shut(): void {
    this.isOpen = false;
  }

  close(): void {
    for (const listener of this.listeners.splice(0)) listener.close();
  }
}

/** Where the master accepts: it sends a connection to a worker whose gate is open, one at a time. */
export class ReceivingGate implements Gate {
  isOpen = false;
  readonly leavesToOthers = true;
  readonly descriptorsToOpen = 0;
  private isClosed = false;

  /** An open one, like `openGate`'s. */
  static open<S extends ConnectionServer>(
    sockets: readonly WorkerSocket[],
    servers: readonly S[],
    take: Take<S>,
  ): ReceivingGate {
    const gate = new ReceivingGate();
    const byAddress = new Map(sockets.map(({ address }, index) => [address, servers[index]!]));
    for (const [index, socket] of sockets.entries())
      setLocalEnd(servers[index]!, 'host' in socket ? { address: socket.host, port: socket.port } : {});
    listenToMaster((message, socket) => {
      if (message.type !== 'connection') return;
      void sendToMaster({ type: 'taken' });
      gate.isOpen = false;
      // It has been closed by its client on the way.
      if (!(socket instanceof Socket)) return gate.open();
      socket.allowHalfOpen = true;
      socket.setNoDelay(true);
      // In this turn of the loop: it is being read from already.
      take(byAddress.get(message.address)!, socket, endOf(socket));
    });
    gate.open();
    return gate;
  }

  open(): void {
    if (this.isOpen || this.isClosed) return;
    this.isOpen = true;
    void sendToMaster({ type: 'idle', isIdle: true });
  }

  shut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    void sendToMaster({ type: 'idle', isIdle: false });
  }

  close(): void {
    this.isClosed = true;
  }
}
