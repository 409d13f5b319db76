/** Raw connections, as a `net.Server` of the app's has them. */

import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/app/server-files/served.ts';

describe('a raw connection', () => {
  it("is the server's, with the server on it", async () => {
    const server = createServer();
    const socket = new Socket();
    const connected = once(server, 'connection');
    void connect(server, socket, 1);
    expect(await connected).toEqual([socket]);
    expect(Reflect.get(socket, 'server')).toBe(server);
  });

  it('is closed where there are more than maxConnections, and the server is told', async () => {
    const server = Object.assign(createServer(), { maxConnections: 1 });
    server.on('connection', () => expect.unreachable());
    const socket = new Socket();
    const dropped = once(server, 'drop');
    void connect(server, socket, 2);
    expect(await dropped).toMatchObject([{ remoteAddress: undefined }]);
    expect(socket.destroyed).toBe(true);
  });
});
