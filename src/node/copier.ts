/** A second descriptor for the same socket, which Node has no `dup` for (a pipe of libuv's that carries descriptors). */

import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import type { ServerHandle, StreamHandle } from './handles.ts';
import { listenReally } from './listen.ts';
import { openBinding } from './stream-binding.ts';
import { internalsAreOff } from './switch.ts';

/** Makes another handle, with a descriptor of its own, for the same socket; undefined on failure. */
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
 * libuv cannot pause accepting, but a handle can be closed. To accept again takes another handle, and Node has no `dup` to make
 * one. A descriptor that is sent through a unix socket arrives as a new one (SCM_RIGHTS, unix(7)), also within one
 * process. That takes 10 µs; the way through the master takes ten times as long and three messages.
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
  const listener = net.createServer({ pauseOnConnect: true });
  listenReally(listener, { path, exclusive: true });
  await once(listener, 'listening');
  try {
    const near = connectUnseen(path) ?? connect(path);
    const [[accepted], connected] = await Promise.all([once(listener, 'connection'), near]);
    return [connected, carrying(accepted as net.Socket)];
  } finally {
    listener.close();
  }
}

/** The same descriptor, as a pipe that others can travel through. */
function carrying(socket: net.Socket): PipeHandle {
  const { _handle: plain } = socket as unknown as WithHandle;
  const Pipe = plain.constructor as new (kind: number) => PipeHandle;
  const pipe = new Pipe(ipcPipe);
  const code = pipe.open(plain.fd);
  if (code !== 0) throw new Error(`error ${code}`);
  // It has the same descriptor, so it must not be closed or garbage-collected.
  socket.unref();
  kept.push(socket);
  return pipe;
}

async function connect(path: string): Promise<PipeHandle> {
  const client = net.connect({ path });
  client.pause();
  await once(client, 'connect');
  return carrying(client);
}

interface PipeBinding {
  readonly Pipe: new (kind: number) => PipeHandle & { connect(request: object, path: string): number | undefined };
  readonly PipeConnectWrap: new () => { oncomplete?: (status: number) => void };
}

/**
 * By libuv's handle: tracers that patch `net.Socket` (Datadog's) would make a span of it.
 * @returns undefined where Node does not give out that handle
 */
function connectUnseen(path: string): Promise<PipeHandle> | undefined {
  const { Pipe, PipeConnectWrap } = openBinding<PipeBinding>('pipe_wrap') ?? {};
  if (typeof Pipe !== 'function' || typeof PipeConnectWrap !== 'function') return undefined;
  const pipe = new Pipe(ipcPipe);
  const request = new PipeConnectWrap();
  return new Promise((resolve, reject) => {
    request.oncomplete = (status) => (status === 0 ? resolve(pipe) : reject(new Error(`error ${status}`)));
    const code = pipe.connect(request, path);
    if (code !== undefined && code !== 0) reject(new Error(`error ${code}`));
  });
}

const kept: net.Socket[] = [];
