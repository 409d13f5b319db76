import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmPackages, ownVersion, packageVersion } from '../lib/install.mjs';
import { processTree } from '../lib/processes.mjs';
import { app, carryOut, lacking, listening } from './common.mjs';

const folder = () => npmPackages('pm2', ['pm2@7.0.4']);
const program = (name) => [process.execPath, join(folder(), 'node_modules/pm2/bin', name)];

/** @returns {import('../lib/peer-server.mjs').Peer} */
function pm2(framework, name) {
  return {
    id: `pm2-${framework}`,
    name: `${name} on PM2`,
    kind: 'Node',
    about: 'cluster mode, `wait_ready`, a graceful end at SIGINT; `pm2 reload`',
    find: () => ({
      pm2: packageVersion(folder(), 'pm2'),
      [framework]: ownVersion(framework),
      Node: process.versions.node,
    }),
    command({ workers, folder: place, maxMemoryMib, logTo, ...rest }) {
      const description = {
        ...{ name: 'app', script: app(`${framework}.mjs`), exec_mode: 'cluster', instances: workers },
        ...{ wait_ready: true, listen_timeout: 10_000, kill_timeout: 10_000, cwd: place },
        ...(maxMemoryMib === undefined ? {} : { max_memory_restart: `${maxMemoryMib}M` }),
        ...(logTo === undefined ? {} : { out_file: logTo, error_file: logTo }),
      };
      const file = join(place, 'ecosystem.json');
      writeFileSync(file, JSON.stringify({ apps: [description] }));
      // Its own daemon, apart from any that the machine may have.
      const env = { ...listening(rest), PM2_HOME: join(place, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' };
      return { command: [...program('pm2-runtime'), 'start', file], env };
    },
    lacks: framework === 'express' ? lacking(['h2'], 'Express has no HTTP/2') : {},
    reload: (server) => carryOut(server, [...program('pm2'), 'reload', 'app']),
    // PM2 gives its workers this title, and its other processes other ones.
    workersOf: (server) => processTree(server.pid).slice(1),
  };
}

export default [pm2('fastify', 'Fastify'), pm2('express', 'Express')];
