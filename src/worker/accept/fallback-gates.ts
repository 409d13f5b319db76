/**
 * Gates for a Node whose listening sockets cannot be copied. One holds back connections that come while it is shut; the other
 * gets its connections from the master.
 */

import { type Server, Socket } from 'node:net';
import { type ConnectionServer, createListener, endOf, setLocalEnd } from '../../http/accept.ts';
import { listenToMaster, sendToMaster } from '../../ipc/channel.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import type { Gate, Take } from './gate.ts';
import { listen } from './listen.ts';

/** Holds connections that come while it is shut, unread, until it opens. */
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

/** The master accepts, and sends a connection to a worker whose gate is open, one at a time. */
export class ReceivingGate implements Gate {
  isOpen = false;
  readonly leavesToOthers = true;
  readonly descriptorsToOpen = 0;
  private isClosed = false;

  /** Opens the gate, as `openGate` does. */
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
      // The client closed the connection on its way here.
      if (!(socket instanceof Socket)) return gate.open();
      socket.allowHalfOpen = true;
      socket.setNoDelay(true);
      // In this same turn of the event loop: the socket is being read already.
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
