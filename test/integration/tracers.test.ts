/** Tracers see of requests what they see under node:http. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../current.ts';
import { makeFolder, start } from './harness.ts';

const file = (name: string) => fileURLToPath(new URL(`./tracers/${name}`, import.meta.url));

interface Served {
  readonly port: number;
  /** What was written after a word to standard error, once there are `count` of it. */
  said(word: string, count: number): Promise<unknown[]>;
  stop(): Promise<void>;
}

async function serveByNode(app: string, preload: string, env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const args = ['--require', file(preload), file('serve.cjs'), file(app)];
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr! }).on('line', (line) => lines.push(line));
  const until = async (word: string, count: number) => {
    while (linesOf(lines, word).length < count) await once(reader, 'line');
    return linesOf(lines, word);
  };
  const [port] = await until('port', 1);
  return {
    port: Number(port),
    said: until,
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** Preloaded in the workers alone: the master has no requests, and a tracer takes as long to load as all else. */
async function serveByTsgun(app: string, preload: string, workerClass: string): Promise<Served> {
  const args = ['--interface', 'node', '--worker-class', workerClass, '--node-options', `--require ${file(preload)}`];
  const tsgun = start(file(app), args);
  return {
    port: Number(new URL(await tsgun.url()).port),
    async said(word, count) {
      await tsgun.until(() => linesOf(tsgun.text, word).length >= count, `${count} of ${word}`);
      return linesOf(tsgun.text, word);
    },
    async stop() {
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    },
  };
}

function linesOf(lines: readonly string[], word: string): unknown[] {
  const found = lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return found.map((text) => (/^[[{\d]/.test(text) ? JSON.parse(text) : text));
}

const get = async ({ port }: Served, path: string, fields: Record<string, string> = {}) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...fields } });
  return answer.text();
};

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly parent: string | undefined;
  readonly attributes: Record<string, unknown>;
}

type Asked = readonly [path: string, name: string, count: number];

/** The spans of each request, without what differs from run to run. */
async function spansOf(served: Served, asked: readonly Asked[]): Promise<Span[][]> {
  const all: Span[][] = [];
  let seen = 0;
  for (const [path, , count] of asked) {
    await get(served, path, { traceparent: `00-${traceId}-${parent}-01` });
    const spans = (await served.said('SPAN', seen + count)).slice(seen) as Span[];
    seen += spans.length;
    all.push(comparable(served, spans));
  }
  await served.stop();
  return all;
}

function comparable(served: Served, spans: Span[]): Span[] {
  const ports = ['net.peer.port', 'network.peer.port', 'client.port'];
  // Which of them ends first is the scheduler's to say.
  const inOrder = spans.sort((one, other) => other.kind - one.kind);
  return inOrder.map((span) => {
    const entries = Object.entries(span.attributes).filter(([name]) => !ports.includes(name));
    const text = JSON.stringify({ ...span, attributes: Object.fromEntries(entries) });
    const same = JSON.parse(text.replaceAll(String(served.port), '1')) as Span;
    // Spans below the request's own have it for a parent, whose id is new each time.
    return same.parent === parent ? same : { ...same, parent: 'another' };
  });
}

describe('OpenTelemetry', () => {
  const express: Asked[] = [
    ['/users/7', 'GET /users/:id', 2],
    ['/failing', 'GET /failing', 2],
  ];
  it.each<[app: string, asked: Asked[]]>([
    ['express-app.cjs', express],
    ['fastify-app.cjs', [['/users/7', 'GET /users/:id', 3]]],
    ['handler-app.cjs', [['/', 'GET', 1]]],
    ['server-app.cjs', [['/', 'GET', 1]]],
  ])('has the spans of node:http for %s', async (app, asked) => {
    const nodes = await spansOf(await serveByNode(app, 'otel.cjs'), asked);
    for (const [index, [, name]] of asked.entries())
      expect(nodes[index]![0]).toMatchObject({ name, kind: 1, traceId, parent });
    for (const workerClass of ['async', 'threaded'])
      expect(await spansOf(await serveByTsgun(app, 'otel.cjs', workerClass), asked), workerClass).toEqual(nodes);
  });
});

describe('What $NODE_OPTIONS preloads', () => {
  it.each(['async', 'sync', 'threaded'])(
    'is there before the app is loaded, in workers and threads, by --require and by --import: %s',
    async (workerClass) => {
      const { path } = makeFolder({
        'preload.mjs': "globalThis.imported = 'by import';",
        'preload.cjs': "globalThis.required = 'by require';",
        'app.mjs': `const found = [globalThis.required, globalThis.imported].join();
export default (req, res) => res.end(found);`,
      });
      const env = { NODE_OPTIONS: `--require ${path}/preload.cjs --import ${path}/preload.mjs` };
      const tsgun = start(`${path}/app.mjs`, ['--worker-class', workerClass], { env });
      expect((await tsgun.get('/')).text).toBe('by require,by import');
      await tsgun.stop();
    },
  );
});

describe('Sentry', () => {
  it.each(['node:http', 'async', 'threaded'])(
    "reports each error under the user whose request it was, and nobody's under none: %s",
    async (by) => {
      const served =
        by === 'node:http'
          ? await serveByNode('sentry-app.cjs', 'sentry.cjs')
          : await serveByTsgun('sentry-app.cjs', 'sentry.cjs', by);
      const anna = get(served, '/anna');
      await served.said('anna', 1);
      await get(served, '/bert');
      await get(served, '/nobody');
      await anna;
      const reports = (await served.said('REPORT', 4)) as { message: string }[];
      await served.stop();
      expect(reports.sort((a, b) => (a.message < b.message ? -1 : 1))).toEqual([
        { message: 'first of anna', user: 'anna', path: '/anna' },
        { message: 'of bert', user: 'bert', path: '/bert' },
        { message: 'of nobody', path: '/nobody' },
        { message: 'second of anna', user: 'anna', path: '/anna' },
      ]);
    },
  );
});

describe("Node's diagnostics channels", () => {
  it.each(['handler-app.cjs', 'express-app.cjs', 'server-app.cjs'])(
    'carry what node:http publishes, of requests only: %s',
    async (app) => {
      const news = async (served: Served) => {
        await get(served, '/a');
        await served.said('NEWS', count);
        await get(served, '/b');
        const said = await served.said('NEWS', 2 * count);
        await served.stop();
        return said;
      };
      const channels = ['http.server.response.created', 'http.server.request.start', 'http.server.response.finish'];
      // Before Node 22.12 there is no `created`.
      const count = Number.parseInt(process.versions.node, 10) < 22 ? 2 : 3;
      const nodes = await news(await serveByNode(app, 'channels.cjs'));
      expect(nodes.slice(0, count).map((said) => (said as string[])[0])).toEqual(channels.slice(-count));
      for (const workerClass of ['async', 'threaded', 'sync'])
        expect(await news(await serveByTsgun(app, 'channels.cjs', workerClass)), workerClass).toEqual(nodes);
    },
  );
});

describe('the tracing channel tsgun.request', () => {
  const apps = {
    'wsgi.mjs': `export default (env, startResponse) => {
      if (env.PATH_INFO === '/fails') throw new Error('failed');
      startResponse('201 Created', []);
      return ['a'];
    };`,
    'node.mjs': `export default (req, res) => setImmediate(() => {
      if (req.url !== '/fails') return res.writeHead(201).end('a');
      res.destroy();
    });`,
    'fetch.mjs': `export default { fetch: async (request) => {
      if (new URL(request.url).pathname === '/fails') throw new Error('failed');
      return new Response('a', { status: 201 });
    } };`,
    'tcp.mjs': `export default (socket) => {
      socket.end('HTTP/1.1 201 Created\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n');
      socket.resume();
    };`,
  };
  const order = (news: unknown[]) => (news as string[][]).map(([event]) => event);

  it.each(['wsgi', 'fetch', 'node', 'tcp'])('has each request of the interface %s', async (name) => {
    const { path } = makeFolder(apps);
    for (const workerClass of name === 'tcp' ? ['async'] : ['async', 'threaded', 'sync']) {
      const args = ['--interface', name, '--worker-class', workerClass];
      const options = `--require ${file('channels.cjs')}`;
      const tsgun = start(`${path}/${name}.mjs`, args, { env: { NODE_OPTIONS: options, OWN_CHANNEL: '1' } });
      const news = () =>
        (linesOf(tsgun.text, 'NEWS') as [string, object][]).filter(([event]) => !event.startsWith('http.'));
      const seen = async (count: number) => {
        await tsgun.until(() => order(news()).filter((event) => event === 'asyncEnd').length >= count, 'the end');
        return news();
      };
      await (await tsgun.connect()).exchange('GET /a HTTP/1.1\r\nHost: h\r\nVia: b\r\nConnection: close\r\n\r\n');
      const first = await seen(1);
      expect(order(first), workerClass).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
      const request = name === 'tcp' ? {} : { method: 'GET', url: '/a', via: 'b' };
      expect(first[0]![1]).toEqual({ name, ...request, remoteAddress: '127.0.0.1' });
      expect(first.at(-1)![1]).toEqual({
        name,
        ...request,
        remoteAddress: '127.0.0.1',
        ...(name === 'tcp' ? {} : { status: 201 }),
      });
      if (name !== 'tcp') {
        await (await tsgun.connect()).exchange('GET /fails HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
        const last = (await seen(2)).at(-1)![1];
        const failure = name === 'node' ? {} : { status: 500, error: 'failed' };
        expect(last, workerClass).toEqual({
          name,
          method: 'GET',
          url: '/fails',
          remoteAddress: '127.0.0.1',
          ...failure,
        });
      }
      await tsgun.stop();
    }
  });
});
