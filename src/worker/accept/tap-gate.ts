/**
 * A gate made of copies. libuv cannot stop accepting for a while, but a handle can be closed. So each opening takes a new copy
 * of the listening socket, and shutting closes it.
 */

// Not the globals, which an app may replace.
import { setTimeout } from 'node:timers';
import { getSystemErrorName } from 'node:util';
import { bindError } from '../../errors.ts';
import { type ConnectionServer, setLocalEnd } from '../../http/accept.ts';
import { type End, remoteEnd } from '../../http/ends.ts';
import type { Incoming } from '../../http/wire/wire.ts';
import { acceptOn } from '../../node/accept.ts';
import { inheritedHandle } from '../../node/bind.ts';
import type { Copier } from '../../node/copier.ts';
import type { ServerHandle } from '../../node/handles.ts';
import type { Gate } from './gate.ts';

const retryMs = 50;

/** One listening socket. Its own handle never accepts; it is there to be copied. */
export class Tap {
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
    take: (incoming: Incoming, peer: End) => void,
  ) {
    const source = inheritedHandle(fd);
    if (source === undefined) throw new Error(`descriptor ${fd} is not a listening socket`);
    this.source = source;
    this.copier = copier;
    const end: { address?: string; port?: number } = {};
    source.getsockname?.(end);
    setLocalEnd(server, end);
    this.accept = (handle) => {
      const code = acceptOn(handle, backlog, (connection, peer) => take(connection, remoteEnd(peer)));
      if (code !== 0) throw bindError(address, getSystemErrorName(code));
    };
  }

  /** Whether it has a copy, in use or for the next opening. */
  get isProvided(): boolean {
    return this.accepting !== undefined || this.spare !== undefined;
  }

  /** Makes a copy ahead of the next opening. @returns false where copies cannot be made */
  async fill(): Promise<boolean> {
    if (this.isFilling || this.spare !== undefined) return true;
    this.isFilling = true;
    const copy = await this.copier(this.source);
    this.isFilling = false;
    if (this.isClosed) copy?.close();
    else this.spare = copy;
    if (this.isWanted && copy !== undefined) this.open();
    // No descriptor is free for a copy: try again.
    else if (this.isWanted) setTimeout(() => this.isWanted && this.open(), retryMs).unref();
    return copy !== undefined;
  }

  /** Opens at once, or as soon as there is a copy. @throws ConfigError */
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

export class TapGate implements Gate {
  isOpen = false;
  readonly leavesToOthers = true;
  private readonly taps: readonly Tap[];
  private isClosed = false;

  constructor(taps: readonly Tap[]) {
    this.taps = taps;
    this.open();
  }

  get descriptorsToOpen(): number {
    return this.taps.filter(({ isProvided }) => !isProvided).length;
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
