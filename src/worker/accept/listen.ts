/** Makes a worker accept on a socket that its master holds. What is done with the connections is decided elsewhere. */

import type { Server } from 'node:net';
import { bindError } from '../../errors.ts';
import type { WorkerSocket } from '../../ipc/order.ts';
import { listenOn } from '../../node/bind.ts';
import { listenReally } from '../../node/listen.ts';

/**
 * Makes `listener` accept on any kind of socket; resolves when it does.
 * @throws ConfigError if the address was taken after the master found it free
 */
export async function listen(listener: Server, socket: WorkerSocket, backlog: number): Promise<Server> {
  await new Promise<void>((resolve, reject) => {
    listener
      .once('listening', resolve)
      .once('error', (error: NodeJS.ErrnoException) => reject(bindError(socket.address, error.code ?? error.message)));
    if ('fd' in socket) listenOn(listener, socket.fd, backlog);
    else listenReally(listener, { ...socket, backlog });
  });
  return listener;
}
