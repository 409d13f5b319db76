/** What a fetch app is given beside the request. */

import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { type Fetch, type FetchInfo, fetchHandler } from '../../../src/app/fetch/fetch.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { openHandler } from '../../http/in-process.ts';

async function connect(app: unknown): Promise<Client> {
  const service = await openHandler(fetchHandler(app as Fetch));
  onTestFinished(() => service.close());
  return Client.open(service.port);
}

it('gives the client’s address as @hono/node-server and Deno do', async () => {
  const app = new Hono<{ Bindings: FetchInfo }>();
  app.get('/', (c) => {
    const node = getConnInfo(c).remote;
    // As hono/deno reads it, which cannot be loaded in Node.
    const { hostname, port } = c.env.remoteAddr;
    return c.json([node.address, node.addressType, hostname, node.port === port]);
  });
  const client = await connect(app);
  expect(await client.exchange('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toMatch(
    /\["127\.0\.0\.1","IPv4","127\.0\.0\.1",true\]$/,
  );
});

it('has Node’s form of the request, with one socket for each connection', async () => {
  const sockets = new Set<unknown>();
  const closed: string[] = [];
  const client = await connect((_request: Request, { incoming }: FetchInfo) => {
    sockets.add(incoming.socket);
    incoming.socket.once('close', () => closed.push(incoming.url!));
    return Response.json([incoming.method, incoming.url, incoming.headers['x-a']]);
  });
  client.send('GET /1 HTTP/1.1\r\nHost: h\r\nX-A: a\r\n\r\n');
  await client.until(/\["GET","\/1","a"\]/);
  await client.exchange('GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect(sockets.size).toBe(1);
  await expect.poll(() => closed).toEqual(['/1', '/2']);
});

it('leaves the body to the Request', async () => {
  const client = await connect(async (request: Request, { incoming }: FetchInfo) => {
    return new Response(`${incoming.method} ${await request.text()}`);
  });
  const post = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc';
  expect(await client.exchange(post)).toMatch(/\r\n\r\nPOST abc$/);
});
