/** What an app has of its `http.Server`, and of its connections, side by side with node:http. */

import { createServer, Server } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sideBySide } from './side-by-side.ts';

const get = async (port: number) =>
  (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text();

describe("a request's socket", () => {
  it.each(['a handler', 'an http.Server'])(
    'is a net.Socket, and knows the http.Server that serves it: %s',
    async (by) => {
      const [nodes, ours] = await sideBySide(async (serve) => {
        const seen: unknown[] = [];
        const handler = (req: { socket: Socket }, res: { end(text: string): void }) => {
          const { server } = req.socket as Socket & { server: unknown };
          seen.push(req.socket instanceof Socket, server instanceof Server, by === 'a handler' || server === app);
          res.end('served');
        };
        const app = createServer(handler);
        seen.push(await get(await serve(by === 'a handler' ? handler : app)));
        return seen;
      });
      expect(ours).toEqual(nodes);
    },
  );
});

describe("an exported server's listeners for requests", () => {
  it('are called once if they were added to be', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const seen: string[] = [];
      const app = createServer().on('request', (_req, res) => void res.end('each'));
      app.once('request', () => seen.push('once'));
      const port = await serve(app);
      return [await get(port), await get(port), ...seen];
    });
    expect(nodes).toEqual(['each', 'each', 'once']);
    expect(ours).toEqual(nodes);
  });

  it('take over from each other: one for the first request, another for those that follow', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer();
      app.once('request', (_req, res) => {
        app.on('request', (_req, res) => void res.end('later'));
        res.end('first');
      });
      const port = await serve(app);
      return [await get(port), await get(port)];
    });
    expect(nodes).toEqual(['first', 'later']);
    expect(ours).toEqual(nodes);
  });
});
