import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { app, carryOut, lacking, needsTls } from './common.mjs';

const files = ['serve.mjs', 'handler.mjs', 'routes.mjs'];

/** It knows an app by its folder. @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'passenger',
  name: 'Passenger',
  kind: 'Node',
  about:
    'standalone with its built-in engine, the node:http program unchanged; `passenger-config restart-app`, without the rolling restarts of the Enterprise edition',
  find: () => ({
    Passenger: programVersion('passenger', ['--version'], 'apt-get install passenger', 'Passenger'),
    Node: process.versions.node,
  }),
  command({ port, workers, folder, maxRequests, logTo }) {
    for (const name of ['tmp', 'public']) mkdirSync(join(folder, name));
    for (const file of files) copyFileSync(app(file), join(folder, file));
    return {
      command: [
        ...['passenger', 'start', folder, '--address', '127.0.0.1', '--port', String(port), '--engine', 'builtin'],
        ...['--app-type', 'node', '--startup-file', files[0], '--nodejs', process.execPath],
        ...['--environment', 'production', '--max-pool-size', String(workers), '--min-instances', String(workers)],
        ...['--log-file', logTo ?? '/dev/stderr', '--pid-file', join(folder, 'pid'), '--disable-security-update-check'],
        ...['--no-friendly-error-pages', '--instance-registry-dir', folder],
        ...(maxRequests === undefined ? [] : ['--max-requests', String(maxRequests)]),
      ],
      env: { PORT: String(port), PASSENGER_INSTANCE_REGISTRY_DIR: folder },
    };
  },
  reload: (server) => carryOut(server, ['passenger-config', 'restart-app', server.place.folder]),
  isDetached: true,
  lacks: lacking(needsTls, 'its built-in engine has no TLS'),
  // The rest are its own agents.
  workersOf: (server) => server.processes().filter((pid) => commandOf(pid).startsWith('Passenger NodeApp')),
};

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
