/** Serves an app's raw connections in a thread: many at once, as on the event loop of any process. */

import type { MessagePort } from 'node:worker_threads';
import type { RawServer } from '../../../app/interface.ts';
import { type ForTunnel, isForTunnel, type ToThread } from '../messages.ts';
import { type Ending, endThread } from './end.ts';
import { ThreadSocket } from './thread-socket.ts';
import { Tunnels } from './tunnels.ts';

export class ConnectionLoop {
  private readonly server: RawServer;
  private readonly ending: Ending;
  private readonly tunnels: Tunnels;

  constructor(port: MessagePort, server: RawServer, ending: Ending) {
    this.server = server;
    this.ending = ending;
    this.tunnels = new Tunnels(ending.outlet);
    port.on('message', (batch: readonly ToThread[]) => {
      for (const message of batch) this.take(message);
    });
  }

  private take(message: ToThread): void {
    if (typeof message === 'string') return;
    if (message[0] === 'stop') void endThread(this.ending);
    else if (message[0] === 'ping') this.ending.outlet.post(['pong']);
    else if (message[0] !== 'share' && message[0] !== 'unshare' && isForTunnel(message)) this.hear(message);
  }

  private hear(message: ForTunnel): void {
    if (message[0] === 'tunnelBegin') {
      const [, id, ends] = message;
      const socket = new ThreadSocket(ends);
      socket.attach(this.tunnels.begin(id, socket, () => socket.takeClose()));
      this.server.local = ends.local;
      this.server.serve(socket, ends.remote);
    }
    // Of all connections: the whole worker leaves.
    else if (message[0] === 'tunnelFarewell') void this.server.drain(0);
    else this.tunnels.hear(message);
  }
}
