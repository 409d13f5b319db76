/**
 * Datadog's and Elastic's tracers against a stand-in for their servers: what they say of the same requests under node:http and
 * under tsgun. They are too large to be installed for every test run:
 *
 *   npm run suites:tracers -- [--folder DIR]
 *
 * Exits 1 if something differs.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const packages = ['dd-trace@5.132.0', 'elastic-apm-node@4.18.0', '@msgpack/msgpack@3.1.3'];
const command = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const apps = fileURLToPath(new URL('../test/integration/tracers/', import.meta.url));
const paths = ['/users/7', '/failing'];
const patienceMs = 60_000;

const { values } = parseArgs({
  options: { folder: { type: 'string', default: join(tmpdir(), 'tsgun-suites') } },
});
const folder = join(values.folder, 'tracers');
mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'node_modules', 'dd-trace'))) {
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', ...packages];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}`);
}
const require = createRequire(join(folder, 'package.json'));
const { decode } = require('@msgpack/msgpack');

/** Takes what a tracer sends. `read` makes spans of it, none of another request. */
async function openIntake(read) {
  const spans = [];
  const server = createServer(async (request, response) => {
    const pieces = await request.toArray();
    const bytes = Buffer.concat(pieces);
    try {
      spans.push(...read(request, request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes));
    } catch (error) {
      spans.push({ unreadable: `${request.method} ${request.url}: ${error.message}` });
    }
    server.emit('taken');
    response.setHeader('Content-Type', 'application/json');
    response.end(request.url === '/info' ? '{"endpoints":["/v0.4/traces"],"version":"7"}' : '{"rate_by_service":{}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, spans, server };
}

const tracers = {
  'dd-trace': {
    preload: 'dd-trace/init',
    env: (url) => ({
      DD_TRACE_AGENT_URL: url,
      DD_SERVICE: 'app',
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_TRACE_STARTUP_LOGS: 'false',
    }),
    read(request, bytes) {
      if (!request.url.startsWith('/v0.4/traces')) return [];
      return decode(bytes, { useBigInt64: true })
        .flat()
        .map(({ name, resource, type, error, meta }) => {
          const kept = Object.entries(meta).filter(([key]) => /^(?:http\.|span\.kind|component|error)/.test(key));
          return { name, resource, type, error: Number(error), meta: Object.fromEntries(kept) };
        });
    },
  },
  'elastic-apm-node': {
    preload: 'elastic-apm-node/start',
    // It looks for itself (start.js), and does nothing in a thread.
    isMainOnly: true,
    env: (url) => ({
      ELASTIC_APM_SERVER_URL: url,
      ELASTIC_APM_SERVICE_NAME: 'app',
      ELASTIC_APM_API_REQUEST_TIME: '1s',
      ELASTIC_APM_CLOUD_PROVIDER: 'none',
      ELASTIC_APM_CENTRAL_CONFIG: 'false',
      ELASTIC_APM_METRICS_INTERVAL: '0s',
    }),
    read(request, bytes) {
      if (!request.url.startsWith('/intake')) return [];
      const events = bytes
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      return events.flatMap(({ transaction, span }) => {
        if (span !== undefined) return [{ span: span.name }];
        if (transaction === undefined) return [];
        const { name, type, result, outcome, context } = transaction;
        const { url, method, headers, socket } = context.request;
        return [{ name, type, result, outcome, method, url, headers, socket, status: context.response.status_code }];
      });
    },
  },
};

/** @returns the port that it says it listens on, and what ends it */
async function serve(by, env) {
  const app = join(apps, 'express-app.cjs');
  const args =
    by === 'node:http'
      ? [join(apps, 'serve.cjs'), app]
      : [command, app, '--bind', '127.0.0.1:0', '--interface', 'node', '--worker-class', by, '--log-format', 'json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  const ended = once(child, 'exit');
  const said = [];
  const port = new Promise((resolve, reject) => {
    let url;
    let isReady = false;
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (/^port \d+$/.test(line)) return resolve(Number(line.slice(5)));
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line);
      if (entry.event === 'listening') url = entry.url;
      isReady ||= entry.event === 'worker_ready';
      if (isReady && url !== undefined) resolve(Number(new URL(url).port));
    });
    void ended.then(() => reject(new Error(`${by} ended:\n${said.join('\n')}`)));
    setTimeout(() => reject(new Error(`${by} is not up:\n${said.join('\n')}`)), patienceMs).unref();
  });
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { port: await port.catch((error) => stop().then(() => Promise.reject(error))), stop };
}

async function spansOf({ preload, env, read }, by) {
  const { url, spans, server } = await openIntake(read);
  const options = `--require ${JSON.stringify(require.resolve(preload))}`;
  const { port, stop } = await serve(by, { ...env(url), NODE_OPTIONS: options });
  for (const path of paths)
    await (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).text();
  const text = () => JSON.stringify(spans);
  const signal = AbortSignal.timeout(patienceMs);
  while (!paths.every((path) => text().includes(path))) await once(server, 'taken', { signal });
  await stop();
  server.closeAllConnections();
  server.close();
  const same = JSON.parse(text().replaceAll(String(port), 'PORT'));
  return same
    .map((span) => JSON.stringify(span))
    .sort()
    .map((span) => JSON.parse(span));
}

console.log('| tracer | node:http | async | threaded |');
console.log('|---|---|---|---|');
for (const [name, tracer] of Object.entries(tracers)) {
  const nodes = await spansOf(tracer, 'node:http');
  const cells = [];
  for (const by of ['async', 'threaded']) {
    if (by === 'threaded' && tracer.isMainOnly) {
      cells.push('starts in no thread');
      continue;
    }
    const ours = await spansOf(tracer, by);
    const isSame = isDeepStrictEqual(ours, nodes);
    cells.push(isSame ? 'the same' : 'differs');
    if (isSame) continue;
    process.exitCode = 1;
    console.error(
      `${name}, ${by}:\nnode:http ${JSON.stringify(nodes, null, 1)}\ntsgun ${JSON.stringify(ours, null, 1)}`,
    );
  }
  console.log(`| ${name} | ${nodes.length} spans | ${cells.join(' | ')} |`);
}
process.exit();
