/**
 * Everything that tsgun uses of Node without it being documented, but for `http/stream-binding.ts`: each has a
 * measured gain, and returns undefined where Node does not have it; the caller then goes the documented way.
 * `TSGUN_NO_INTERNALS=1` turns all of it off, which is how the tests run both ways.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import Module from 'node:module';
import net from 'node:net';
import { constants, tmpdir } from 'node:os';

export const internalsAreOff = Boolean(process.env.TSGUN_NO_INTERNALS);

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

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd?: number,
  flags?: number,
) => ServerHandle | number;

const { _createServerHandle: createServerHandle } = net as unknown as { _createServerHandle?: CreateServerHandle };

/** Whether sockets can be bound in one process and accepted on in another. */
export const canBindForOthers = !internalsAreOff && typeof createServerHandle === 'function';

/** libuv's UV_TCP_IPV6ONLY. */
const ipv6OnlyFlag = 1;

/**
 * Binds without listening, so that this process never accepts: `node:cluster` does the same for its shared sockets. With
 * the workers accepting for themselves there are 1.5 times the new connections per second of a master that hands them on.
 * @param isIpv6Only for family 6: whether `::` leaves IPv4 to others
 * @returns the handle, or the system's error number
 */
export function bindHandle(address: string, port: number, family: 4 | 6, isIpv6Only = false): ServerHandle | number {
  const handle = createServerHandle!(address, port, family, undefined, isIpv6Only ? ipv6OnlyFlag : 0);
  if (typeof handle === 'number') return handle;
  // An address in use shows only now: libuv puts that error off.
  const code = handle.getsockname?.({}) ?? 0;
  if (code === 0) return handle;
  handle.close();
  return code;
}

/**
 * The same for a unix socket, which makes the file.
 * @returns how to close it, or the system's error number; ENOENT comes as EACCES
 */
export function bindPath(path: string): { readonly fd: number; close(): void } | number {
  // -1 and -1: what node:net itself says for a path.
  const handle = createServerHandle!(path, -1, -1);
  if (typeof handle === 'number') return handle;
  const { fd } = handle;
  // handle.close() would remove whatever has that name by then, a successor's socket too. It never listened, so libuv
  // does not watch the descriptor.
  return { fd, close: () => closeSync(fd) };
}

/** A handle for a listening socket that this process was given. Closing the handle closes the descriptor. */
export function inheritedHandle(fd: number): ServerHandle | undefined {
  const handle = createServerHandle!(null, null, null, fd);
  return typeof handle === 'number' ? undefined : handle;
}

/** Accepts on an inherited descriptor, without asking cluster's primary as `listen({ fd })` does. Errors come as events. */
export function listenOn(server: net.Server, fd: number, backlog: number): void {
  const handle = inheritedHandle(fd);
  if (handle === undefined) throw new Error(`descriptor ${fd} is not a listening socket`);
  // `listen` takes TCP handles only; a unix socket's is asked for its descriptor, and that shared through the primary.
  if (handle.getsockname !== undefined) server.listen({ _handle: handle }, backlog);
  else listenOnPipe(server as unknown as PipeServer, handle, backlog);
}

interface PipeServer {
  _handle: ServerHandle;
  _listen2(address: null, port: -1, addressType: -1, backlog: number): void;
}

function listenOnPipe(server: PipeServer, handle: ServerHandle, backlog: number): void {
  server._handle = handle;
  server._listen2(null, -1, -1, backlog);
}

/** What a worker asks cluster's primary to bind for it, whenever it listens: a path has the port -1. */
export interface BindRequest {
  readonly address: string | null;
  readonly port: number;
  readonly fd?: number;
}

/**
 * Answers what a worker asks the primary to bind, where that is not allowed, with EACCES. There is no documented way, and
 * without it an app whose worker has given up root's rights would still have root bind for it: any port, a socket in any
 * folder. It stays on when the other uses are off.
 */
export function restrictBinding(worker: ChildProcess, isAllowed: (request: BindRequest) => boolean): void {
  const emit = worker.emit as (this: ChildProcess, event: string, ...args: unknown[]) => boolean;
  const filtered = (event: string, ...args: unknown[]): boolean => {
    const message = args[0] as Partial<BindRequest & { cmd: string; act: string; seq: number }> | undefined;
    const isRequest = event === 'internalMessage' && message?.cmd === 'NODE_CLUSTER' && message.act === 'queryServer';
    if (!isRequest || isAllowed({ address: null, port: -1, ...message })) return emit.call(worker, event, ...args);
    // It may be gone by now: the callback takes the error.
    worker.send({ cmd: 'NODE_CLUSTER', ack: message?.seq, errno: -constants.errno.EACCES }, () => {});
    return true;
  };
  worker.emit = filtered;
}

/** The handle of an accepted connection, which no Socket has been made of yet. */
export class ConnectionHandle {
  readonly handle: StreamHandle;

  constructor(handle: StreamHandle) {
    this.handle = handle;
  }
}

interface StreamHandle {
  setNoDelay?(isOn: boolean): void;
  getpeername?(out: Peer): number;
  close(): void;
}

interface ListenerHandle extends Pick<StreamHandle, 'setNoDelay'> {
  onconnection?: (status: number, handle: StreamHandle) => void;
}

/** Linux's accepted sockets have the options of their listener: one system call less for each. */
const isNoDelayInherited = process.platform === 'linux';

export type Peer = { address?: string; port?: number };

/**
 * From now on, gives the connections of a listener to `take` as handles, ahead of the Socket that Node would make of each.
 * Our own is made with what `net.Server` has no option for, and two per connection would cost an eighth of the
 * connections per second.
 * @returns false where that cannot be done: then they come as Sockets, by the event
 */
export function takeConnections(listener: net.Server, take: (handle: ConnectionHandle, peer: Peer) => void): boolean {
  if (internalsAreOff || !('_handle' in listener)) return false;
  const server = listener._handle as ListenerHandle | null;
  if (typeof server?.onconnection !== 'function') return false;
  const original = server.onconnection;
  if (isNoDelayInherited) server.setNoDelay?.(true);
  server.onconnection = function (status, handle) {
    if (status !== 0) return original.call(this, status, handle);
    if (!isNoDelayInherited) handle.setNoDelay?.(true);
    const peer: Peer = {};
    handle.getpeername?.(peer);
    take(new ConnectionHandle(handle), peer);
  };
  return true;
}

/** Makes a further handle, with a descriptor of its own, for the same socket; undefined where that failed. */
export type Copier = (handle: ServerHandle) => Promise<ServerHandle | undefined>;

type PipeHandle = StreamHandle & {
  readonly fd: number;
  pendingHandle?: ServerHandle | null;
  open(fd: number): number;
  writeLatin1String(request: unknown, text: string, handle?: ServerHandle): unknown;
};
type WithHandle = { readonly _handle: PipeHandle };

/** libuv's kind of a pipe that descriptors can travel through. */
const ipcPipe = 2;

/**
 * libuv cannot stop accepting for a while, but a handle can be closed; what is missing in Node is `dup`, to have another one
 * for later. A descriptor that is sent through a unix socket arrives as a new one (SCM_RIGHTS, unix(7)), also within one
 * process: 10 µs, where the same by way of the master costs ten times that and three messages.
 */
export async function openCopier(): Promise<Copier | undefined> {
  if (internalsAreOff || process.platform === 'win32') return undefined;
  try {
    const [near, far] = await connectPipes();
    let arrived: ((handle: ServerHandle | undefined) => void) | undefined;
    let sent: ServerHandle | undefined;
    const write = near.writeLatin1String;
    // Node itself makes what goes with a write, or from 26 on is given it back; all that is added is the handle to send.
    near.writeLatin1String = (request, text) => {
      const result = write.call(near, request, text, sent);
      // Node keeps the handle that is sent there, and then looks there for the stream that was written to.
      for (const written of [request, result]) if (isObject(written)) Object.assign(written, { handle: near });
      return result;
    };
    const sender = new net.Socket({ handle: near } as net.SocketConstructorOpts).on('error', () => {});
    const receiver = new net.Socket({ handle: far } as net.SocketConstructorOpts).on('error', () => {});
    receiver.on('data', () => {
      const handle = far.pendingHandle ?? undefined;
      far.pendingHandle = null;
      arrived?.(handle);
    });
    receiver.on('close', () => arrived?.(undefined));
    sender.unref();
    receiver.unref();
    let last: Promise<unknown> = Promise.resolve();
    // One at a time: a read brings one handle.
    return (handle) => {
      const copy = last.then(
        () =>
          new Promise<ServerHandle | undefined>((resolve) => {
            arrived = resolve;
            sent = handle;
            sender.write('h', 'latin1');
          }),
      );
      last = copy;
      return copy;
    };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Two ends of a connection within this process, able to carry descriptors. */
async function connectPipes(): Promise<[PipeHandle, PipeHandle]> {
  const path =
    process.platform === 'linux' ? `\0tsgun-${process.pid}-${Math.random()}` : `${tmpdir()}/tsgun-${process.pid}.sock`;
  const listener = net.createServer({ pauseOnConnect: true }).listen({ path, exclusive: true });
  await once(listener, 'listening');
  const client = net.connect({ path });
  client.pause();
  const [accepted] = (await once(listener, 'connection')) as [net.Socket];
  if (client.connecting) await once(client, 'connect');
  listener.close();
  const ends = [client, accepted].map((socket) => {
    const { _handle: plain } = socket as unknown as WithHandle;
    const Pipe = plain.constructor as new (kind: number) => PipeHandle;
    const pipe = new Pipe(ipcPipe);
    const code = pipe.open(plain.fd);
    if (code !== 0) throw new Error(`error ${code}`);
    // It has the same descriptor, so it must neither be closed nor collected.
    socket.unref();
    kept.push(socket);
    return pipe;
  });
  return ends as [PipeHandle, PipeHandle];
}

const kept: net.Socket[] = [];

/**
 * Accepts on a handle until it is closed.
 * @returns 0, or the system's error number
 */
export function acceptOn(
  handle: ServerHandle,
  backlog: number,
  take: (connection: ConnectionHandle, peer: Peer) => void,
): number {
  handle.onconnection = (status, accepted) => {
    // Out of descriptors, most often: the connection waits on.
    if (status !== 0) return;
    if (!isNoDelayInherited) accepted.setNoDelay?.(true);
    const peer: Peer = {};
    accepted.getpeername?.(peer);
    take(new ConnectionHandle(accepted), peer);
  };
  if (isNoDelayInherited) handle.setNoDelay?.(true);
  return handle.listen?.(backlog) ?? -1;
}

/**
 * Where an `http.ServerResponse` keeps its headers, and that it owes a `drain`. The documented way to the headers makes two
 * copies of them for each response.
 */
export function responseSymbols(response: object): {
  readonly outHeaders: symbol | undefined;
  readonly needDrain: symbol | undefined;
} {
  const symbols = internalsAreOff ? [] : Object.getOwnPropertySymbols(response);
  const find = (name: string) => symbols.find(({ description }) => description === name);
  return { outHeaders: find('kOutHeaders'), needDrain: find('kNeedDrain') };
}

/** Runs the script that the command line names as this process's main module, as Node would have: `require.main` is it. */
export function runAsMain(): void {
  const { runMain } = Module as unknown as { runMain?: () => void };
  if (!internalsAreOff) runMain?.();
}
