/** The same handler on node:http and on tsgun's engine: what it sees, and what its clients see, must be the same. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { onTestFinished } from '../../current.ts';
import { openHandler } from '../../http/in-process.ts';

/** Serves a handler until the test is over. @returns the port */
type Serve = (app: NodeListener | Server) => Promise<number>;

/** Runs the same twice. @returns what it gave: with node:http, and with tsgun */
export async function sideBySide<T>(run: (serve: Serve) => Promise<T>): Promise<[nodes: T, ours: T]> {
  return [await run(serveByNode), await run(serveByTsgun)];
}

async function serveByNode(app: NodeListener | Server): Promise<number> {
  const server = (typeof app === 'function' ? createServer(app) : app).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function serveByTsgun(app: NodeListener | Server): Promise<number> {
  const service = await openHandler(nodeHandler(app));
  onTestFinished(() => service.close());
  return service.port;
}
