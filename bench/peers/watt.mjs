import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmPackages, packageVersion } from '../lib/install.mjs';
import { app, carryOut, lacking, needsTls } from './common.mjs';

/** Watt needs Node 22.19, so it brings its own. */
const packages = ['wattpm@3.67.0', '@platformatic/node@3.65.0', 'fastify@5', 'node@24'];
const folder = () => npmPackages('watt', packages);
const program = () => [join(folder(), 'node_modules/node/bin/node'), join(folder(), 'node_modules/wattpm/bin/cli.js')];

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'watt-fastify',
  name: 'Fastify on Watt',
  kind: 'Node',
  about: '`wattpm start`: workers are threads of one process; `wattpm restart`',
  find: () => ({
    wattpm: packageVersion(folder(), 'wattpm'),
    fastify: packageVersion(folder(), 'fastify'),
    Node: packageVersion(folder(), 'node'),
  }),
  hasThreads: true,
  command({ port, workers, folder: place }) {
    const root = join(place, 'watt');
    mkdirSync(root);
    symlinkSync(join(folder(), 'node_modules'), join(root, 'node_modules'));
    copyFileSync(app('fastify.mjs'), join(root, 'index.mjs'));
    copyFileSync(app('routes.mjs'), join(root, 'routes.mjs'));
    writeFileSync(
      join(root, 'package.json'),
      JSON.stringify({ name: 'app', type: 'module', main: 'index.mjs', dependencies: { '@platformatic/node': '*' } }),
    );
    writeFileSync(
      join(root, 'watt.json'),
      JSON.stringify({
        $schema: 'https://schemas.platformatic.dev/@platformatic/node/3.67.0.json',
        module: '@platformatic/node',
        runtime: {
          workers,
          server: { hostname: '127.0.0.1', port },
          logger: { level: 'warn' },
          managementApi: true,
          restartOnError: true,
        },
      }),
    );
    return { command: [...program(), 'start', root], env: { PLT_TELEMETRY_DISABLED: 'true' } };
  },
  reload: (server) => carryOut(server, [...program(), 'restart', String(server.pid)]),
  lacks: {
    ...lacking(['kills', 'full-disk'], 'its workers are threads, which nobody can kill'),
    ...lacking(needsTls, 'not configured for TLS here'),
  },
};
