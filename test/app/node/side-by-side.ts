/** The same handler on node:http and on tsgun's engine: what it sees, and what its clients see, must be the same. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { openHandler } from '../../http/in-process.ts';

/**
 * Serves what `make` makes on both, and lets `use` ask each.
 * @returns what `use` gave, of node:http and of tsgun
 */
export async function sideBySide<T>(make: () => NodeListener, use: (port: number) => Promise<T>): Promise<[T, T]> {
  const server = createServer(make()).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  await once(server, 'listening');
  const service = await openHandler(nodeHandler(make()));
  onTestFinished(() => service.close());
  return [await use((server.address() as AddressInfo).port), await use(service.port)];
}
