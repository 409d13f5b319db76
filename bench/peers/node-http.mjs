import { join } from 'node:path';
import { npmPackages, packageVersion } from '../lib/install.mjs';
import { app, listening } from './common.mjs';

const about = 'one process; on bad days started again by a supervisor, as by systemd';

/** @type {import('../lib/peer-server.mjs').Peer} */
const own = {
  id: 'node-http',
  name: 'node:http',
  kind: 'Node',
  about,
  needsSupervisor: true,
  hasThreads: true,
  find: () => ({ Node: process.versions.node }),
  command: (place) => ({ command: [process.execPath, app('serve.mjs')], env: listening(place) }),
  lacks: { memory: 'it has one process' },
};

/** Another Node, from npm. @returns {import('../lib/peer-server.mjs').Peer} */
function on(major) {
  const folder = () => npmPackages(`node-${major}`, [`node@${major}`]);
  return {
    ...own,
    id: `node-http-${major}`,
    name: `node:http, Node ${major}`,
    find: () => ({ Node: packageVersion(folder(), 'node') }),
    command: (place) => ({
      command: [join(folder(), 'node_modules/node/bin/node'), app('serve.mjs')],
      env: listening(place),
    }),
  };
}

export default [own, on(24), on(26)];
