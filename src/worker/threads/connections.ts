/** Raw connections of a threaded worker: each goes to the thread that has the fewest, and stays there. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TcpApp } from '../../app/tcp/tcp.ts';
import type { Bytes } from '../../http/answer-sink.ts';
import { watchSilence } from '../../http/departure.ts';
import { remoteEnd } from '../../http/ends.ts';
import { departureMs } from '../../http/limits.ts';
import type { Tunnel } from '../../http/tunnel.ts';
import type { ThreadHandle } from './handle.ts';
import { ThreadEnd } from './tunnel.ts';

type Taker = Pick<ThreadHandle, 'isServing' | 'tunnels' | 'send'>;

/** @returns what takes a connection in the place of the app, and is done with it when it has ended */
export function relayTo(threads: Iterable<Taker>): TcpApp {
  let lastId = 0;
  return async (socket, { signal }) => {
    const thread = withFewest(threads);
    if (thread === undefined) throw new Error('there is no thread for this connection: all of them are being replaced');
    const id = ++lastId;
    const end = new ThreadEnd(thread, id, () => thread.tunnels.delete(id));
    thread.tunnels.set(id, end);
    end.attach(new SocketTunnel(socket));
    thread.send(['tunnelBegin', id, endsOf(socket)]);
    // The signal also aborts when the connection itself has ended: then there is nobody to tell.
    const sayFarewell = () => !socket.destroyed && end.takeFarewell();
    if (signal.aborted) sayFarewell();
    else signal.addEventListener('abort', sayFarewell, { once: true });
    socket.on('data', (bytes: Buffer) => end.takeBytes(bytes));
    socket.on('end', () => end.takeEnd());
    socket.on('drain', () => end.takeDrain());
    await once(socket, 'close').catch(() => {});
    end.takeClose();
  };
}

function withFewest(threads: Iterable<Taker>): Taker | undefined {
  let best: Taker | undefined;
  for (const thread of threads)
    if (thread.isServing && thread.tunnels.size < (best?.tunnels.size ?? Number.POSITIVE_INFINITY)) best = thread;
  return best;
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket) {
  const end = (address?: string, port?: number) =>
    remoteEnd(address === undefined ? {} : { address, port: port ?? '' });
  return { local: end(localAddress, localPort), remote: end(remoteAddress, remotePort) };
}

class SocketTunnel implements Tunnel {
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: Bytes): boolean {
    return this.socket.writable ? this.socket.write(bytes) : true;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  /** In other classes, the kernel has what the app wrote before. Here it may still be on its way: it goes out while the client takes it. */
  destroy(): void {
    const { socket } = this;
    socket.destroySoon();
    if (socket.destroyed) return;
    const stop = watchSilence(
      () => 2 * socket.bytesWritten - socket.writableLength,
      () => departureMs,
      () => socket.resetAndDestroy(),
    );
    socket.once('close', stop);
  }

  cut(): void {
    this.socket.resetAndDestroy();
  }
}
