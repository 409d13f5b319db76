/** Limits and timeouts that an app has set on its `http.Server`, side by side with node:http. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type NodeListener, nodeHandler } from '../../../src/app/node/node.ts';
import { fixedLimits } from '../../../src/worker/fixed-limits.ts';
import { Client } from '../../http/client.ts';
import { makeFolder, start } from '../../integration/harness.ts';
import { sideBySide } from './side-by-side.ts';

const served: NodeListener = (_req, res) => res.end('served');
/** Node looks at its deadlines every half minute. */
const often = { connectionsCheckingInterval: 20 };
const request = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

describe('of an http.Server of its own', () => {
  it('keepAliveTimeout ends an idle connection, and is told to clients', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const told = await serve(Object.assign(createServer(served), { keepAliveTimeout: 7000 }));
      const unlimited = await serve(Object.assign(createServer(served), { keepAliveTimeout: 0 }));
      const lines = [];
      for (const port of [told, unlimited]) {
        const client = await Client.open(port);
        client.send(request);
        await client.until(/served/);
        lines.push(/^Keep-Alive: .*$/m.exec(client.received)?.[0]);
      }
      return lines;
    });
    expect(nodes).toEqual(['Keep-Alive: timeout=7', undefined]);
    expect(ours).toEqual(nodes);
  });

  it('keepAliveTimeout of less than the default ends a connection by then', async () => {
    const [, ended] = await sideBySide(async (serve) => {
      const app = Object.assign(createServer(served), { keepAliveTimeout: 50, keepAliveTimeoutBuffer: 0 });
      return (await Client.open(await serve(app))).exchange(request);
    });
    expect(ended).toMatch(/served/);
  });

  it('headersTimeout answers 408 to a client that takes longer for its head', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer({ ...often, headersTimeout: 50, requestTimeout: 60_000 }, served);
      const client = await Client.open(await serve(app));
      return (await client.exchange('GET / HTTP/1.1\r\nHo')).split('\r\n')[0];
    });
    expect(nodes).toBe('HTTP/1.1 408 Request Timeout');
    expect(ours).toBe(nodes);
  });

  it('requestTimeout answers 408 to a client that takes longer for all of its request, although it is never silent', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = createServer({ ...often, requestTimeout: 50, headersTimeout: 50 }, (req, res) => {
        req.resume().on('end', () => res.end('served'));
      });
      const client = await Client.open(await serve(app));
      const drip = setInterval(() => client.send('a'), 5);
      const answer = await client.exchange('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n');
      clearInterval(drip);
      return answer.split('\r\n')[0];
    });
    expect(nodes).toBe('HTTP/1.1 408 Request Timeout');
    expect(ours).toBe(nodes);
  });

  it('maxConnections closes a connection too many, and the server hears of it', async () => {
    const [nodes, ours] = await sideBySide(async (serve) => {
      const app = Object.assign(createServer(served), { maxConnections: 1 });
      const dropped = once(app, 'drop');
      const port = await serve(app);
      const first = await Client.open(port);
      first.send(request);
      await first.until(/served/);
      const second = createConnection(port, '127.0.0.1').on('error', () => {});
      const [{ localPort, localFamily, remoteAddress }] = await dropped;
      if (!second.destroyed) await once(second.resume(), 'close');
      first.send(request);
      await first.until(/served[\s\S]*served/);
      return [localPort === port, localFamily, remoteAddress];
    });
    expect(nodes).toEqual([true, 'IPv4', '127.0.0.1']);
    expect(ours).toEqual(nodes);
  });
});

describe('who decides', () => {
  const app = Object.assign(createServer(served), {
    ...{ keepAliveTimeout: 61_000, headersTimeout: 62_000, requestTimeout: 63_000 },
    ...{ maxHeadersCount: 64, maxConnections: 65 },
  });
  const read = (fixed: ReturnType<typeof fixedLimits>) => {
    const warnings: string[] = [];
    const { extras } = nodeHandler(app, { warn: (warning) => warnings.push(warning), fixed });
    return { own: extras?.own, warnings };
  };

  it("the app's server, where nothing else does", () => {
    expect(read({})).toEqual({
      own: { keepAliveMs: 61_000, headerMs: 62_000, receiveMs: 63_000, fieldCount: 64, maxConnections: 65 },
      warnings: [],
    });
  });

  it('the user, who has given a setting, with a warning', () => {
    const { own, warnings } = read(fixedLimits(['keepAlive', 'bodyTimeout', 'workers']));
    expect(own).toEqual({ headerMs: 62_000, fieldCount: 64, maxConnections: 65 });
    expect(warnings).toEqual([
      'app: keepAliveTimeout of the http.Server (61000) has no effect here: --keep-alive is set',
      'app: requestTimeout of the http.Server (63000) has no effect here: --body-timeout is set',
    ]);
  });

  it('the sync class, about its connections', () => {
    const { own, warnings } = read(fixedLimits([], 'sync'));
    expect(own).toEqual({ headerMs: 62_000, receiveMs: 63_000, fieldCount: 64 });
    expect(warnings.map((warning) => warning.split(': ').at(-1))).toEqual([
      'a sync worker closes each connection after its answer',
      'a sync worker takes one connection at a time',
    ]);
  });

  it('tsgun, where a 0 or a wrong value would lift a limit', () => {
    const open = Object.assign(createServer(served), { headersTimeout: 0, maxHeadersCount: 0 });
    Object.assign(open, { maxConnections: 'many' });
    const warnings: string[] = [];
    const { extras } = nodeHandler(open, { warn: (warning) => warnings.push(warning) });
    expect(extras?.own).toBeUndefined();
    expect(warnings).toHaveLength(3);
  });

  it.each([
    ['async', [], 7],
    ['async', ['--keep-alive', '9'], 9],
    ['threaded', ['--threads', '2'], 7],
  ])('in a worker: %s %j', async (workerClass, more, seconds) => {
    const { path } = makeFolder({
      'app.mjs': `import { createServer } from 'node:http';
const server = createServer((req, res) => res.end('served'));
export default Object.assign(server, { keepAliveTimeout: 7000, maxHeadersCount: 9 });`,
    });
    const tsgun = start(`${path}/app.mjs`, ['--worker-class', workerClass, ...more]);
    const client = await tsgun.connect();
    client.send(request);
    await client.until(/served/);
    expect(client.received).toContain(`\nKeep-Alive: timeout=${seconds}\r\n`);
    const many = 'a: b\r\n'.repeat(10);
    expect(await client.exchange(`GET / HTTP/1.1\r\n${many}\r\n`)).toMatch(/servedHTTP\/1\.1 431 /);
    await tsgun.stop();
    expect(tsgun.log.filter(({ msg }) => msg.includes('keepAliveTimeout'))).toHaveLength(seconds === 9 ? 1 : 0);
  });
});
