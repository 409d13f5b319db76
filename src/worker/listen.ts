/** From a socket that the master has bound to one on which this worker accepts for itself. */

import type { Server } from 'node:net';
import { bindError } from '../errors.ts';
import { createListener } from '../http/accept.ts';
import type { HttpServer } from '../http/server.ts';
import { inheritedHandle, type ServerHandle } from '../internals.ts';
import type { WorkerSocket } from '../ipc/messages.ts';

/** Accepts on a socket that listens already. */
export function listenAgain(server: HttpServer, handle: ServerHandle, backlog: number): Server {
  return createListener(server).listen({ _handle: handle }, backlog);
}

/** @throws ConfigError when the address is another's by now */
export async function listen(server: HttpServer, socket: WorkerSocket, backlog: number): Promise<Server> {
  const listener = createListener(server);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) =>
      reject(bindError(socket.address, error.code ?? error.message)),
    );
    if ('fd' in socket) listener.listen(inheritedHandle(socket.fd), backlog, resolve);
    else listener.listen({ ...socket, backlog }, resolve);
  });
  return listener;
}
