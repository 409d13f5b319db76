/**
 * The gate through which a worker's connections come, and which it can shut for a while: what comes meanwhile waits in the
 * kernel, where every other worker can take it, and is not lost with this one. Knows nothing of when to shut it.
 */

import { type Server, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { bindError } from '../../errors.ts';
import { type ConnectionServer, createListener, nameEnd } from '../../http/accept.ts';
import type { HttpServer, Peer } from '../../http/server.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import { openEnvelope, sendToMaster } from '../../ipc/channel.ts';
import type { MasterMessage, WorkerSocket } from '../../ipc/messages.ts';
import { acceptOn, type Copier, inheritedHandle, openCopier, type ServerHandle } from '../../node/internals.ts';
import { listen } from './listen.ts';

export interface Gate {
  readonly isOpen: boolean;
  /** Whether what comes while it is shut can go to other workers. */
  readonly leavesToOthers: boolean;
  open(): void;
  /** From within `take`, too: then not one connection more is taken. */
  shut(): void;
  /** Shuts it for good. */
  close(): void;
}

/** A connection, and which of the servers it is for. */
export type Take<S = HttpServer> = (server: S, incoming: Incoming, peer: Peer) => void;

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

/** One listening socket. Its own handle never accepts: it is there to be copied. */
class Tap {
  private readonly source: ServerHandle;
  private readonly copier: Copier;
  private readonly accept: (handle: ServerHandle) => void;
  private accepting: ServerHandle | undefined = undefined;
  private spare: ServerHandle | undefined = undefined;
  private isFilling = false;
  private isWanted = false;
  private isClosed = false;

  constructor(
    address: string,
    fd: number,
    backlog: number,
    copier: Copier,
    server: ConnectionServer,
    take: (incoming: Incoming, peer: Peer) => void,
  ) {
    const source = inheritedHandle(fd);
    if (source === undefined) throw new Error(`descriptor ${fd} is not a listening socket`);
    this.source = source;
    this.copier = copier;
    const end: { address?: string; port?: number } = {};
    source.getsockname?.(end);
    nameEnd(server, end);
    this.accept = (handle) => {
      const code = acceptOn(handle, backlog, (connection, { address, port }) =>
        take(connection, { address: address ?? '', port: String(port ?? '') }),
      );
      if (code !== 0) throw bindError(address, getSystemErrorName(code));
    };
  }

  /** Gets a copy for the next opening, ahead of it. Gives false where copies cannot be made. */
  async fill(): Promise<boolean> {
    if (this.isFilling || this.spare !== undefined) return true;
    this.isFilling = true;
    const copy = await this.copier(this.source);
    this.isFilling = false;
    if (this.isClosed) copy?.close();
    else this.spare = copy;
    if (this.isWanted) this.open();
    return copy !== undefined;
  }

  /** At once, or when there is a copy. @throws ConfigError */
  open(): void {
    this.isWanted = true;
    if (this.accepting !== undefined) return;
    this.accepting = this.spare;
    this.spare = undefined;
    if (this.accepting === undefined) void this.fill();
    else this.accept(this.accepting);
  }

  shut(): void {
    this.isWanted = false;
    this.accepting?.close();
    this.accepting = undefined;
  }

  close(): void {
    this.shut();
    this.isClosed = true;
    this.spare?.close();
    this.source.close();
  }
}

class TapGate implements Gate {
  isOpen = false;
  readonly leavesToOthers = true;
  private readonly taps: readonly Tap[];
  private isClosed = false;

  constructor(taps: readonly Tap[]) {
    this.taps = taps;
    this.open();
  }

  open(): void {
    if (this.isOpen || this.isClosed) return;
    this.isOpen = true;
    for (const tap of this.taps) tap.open();
  }

  shut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const tap of this.taps) tap.shut();
    for (const tap of this.taps) void tap.fill();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isOpen = false;
    for (const tap of this.taps) tap.close();
  }
}

/** Where sockets cannot be copied: what comes while it is shut is held, unread, until it opens. */
class HoldingGate<S extends ConnectionServer> implements Gate {
  isOpen = true;
  readonly leavesToOthers = false;
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
      nameEnd(servers[index]!, 'host' in socket ? { address: socket.host, port: socket.port } : {});
    process.on('message', (received, socket) => {
      const message = openEnvelope<MasterMessage>(received);
      if (message?.type !== 'connection') return;
      void sendToMaster({ type: 'taken' });
      gate.isOpen = false;
      // It has been closed by its client on the way.
      if (!(socket instanceof Socket)) return gate.open();
      socket.allowHalfOpen = true;
      socket.setNoDelay(true);
      // In this turn of the loop: it is being read from already.
      const peer = { address: socket.remoteAddress ?? '', port: String(socket.remotePort ?? '') };
      take(byAddress.get(message.address)!, socket, peer);
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
