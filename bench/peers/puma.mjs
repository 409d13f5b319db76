import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { app, hangSeconds, lacking } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'puma',
  name: 'Puma',
  kind: 'other',
  about: 'cluster mode, 5 threads a worker; phased restart',
  find: () => ({ Puma: programVersion('puma', ['--version'], 'apt-get install puma') }),
  command({ port, workers, folder, certificate, logTo }) {
    const file = join(folder, 'puma.rb');
    const lines = [
      certificate === undefined
        ? `bind 'tcp://127.0.0.1:${port}?backlog=1024'`
        : `ssl_bind '127.0.0.1', ${port}, cert: '${certificate.certfile}', key: '${certificate.keyfile}', verify_mode: 'none', backlog: 1024`,
      `workers ${workers}`,
      'threads 5, 5',
      `worker_timeout ${hangSeconds}`,
      "environment 'production'",
      ...(logTo === undefined ? [] : ['log_requests']),
      `rackup '${app('app.ru')}'`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return { command: ['puma', '-C', file] };
  },
  lacks: lacking(['h2'], 'it has no HTTP/2'),
  reload: (server) => server.child.kill('SIGUSR1'),
};
