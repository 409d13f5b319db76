/** libuv's handles of sockets, as Node shows them to its own code: types, the class that carries a handle about, and a handle's async id. */

/** What libuv calls a stream handle; the handle of a unix socket cannot say its addresses. */
export interface ServerHandle {
  readonly fd: number;
  onconnection?: (status: number, handle: StreamHandle) => void;
  setNoDelay?(isOn: boolean): void;
  listen?(backlog: number): number;
  getsockname?(out: Peer): number;
  getpeername?(out: Peer): number;
  close(): void;
}

/** The handle of an accepted connection that has no Socket yet. */
export class ConnectionHandle {
  readonly handle: StreamHandle;
  private knownFd: number | undefined = undefined;

  constructor(handle: StreamHandle) {
    this.handle = handle;
  }

  /** As it was at the first look: to ask the handle is a call of native code. */
  get fd(): number {
    this.knownFd ??= this.handle.fd;
    return this.knownFd;
  }
}

export interface StreamHandle {
  readonly fd: number;
  setNoDelay?(isOn: boolean): void;
  getpeername?(out: Peer): number;
  close(): void;
}

/** @returns undefined where Node does not say it */
export function asyncIdOf(socket: object): number | undefined {
  return (socket as { readonly _handle?: { getAsyncId?(): number } })._handle?.getAsyncId?.();
}

/** What `getsockname` and `getpeername` fill in. */
export type Peer = { address?: string; port?: number };
