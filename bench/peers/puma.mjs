import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { app, hangSeconds } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'puma',
  name: 'Puma',
  kind: 'other',
  about: 'cluster mode, 5 threads a worker; phased restart',
  find: () => ({ Puma: programVersion('puma', ['--version'], 'apt-get install puma') }),
  command({ port, workers, folder, logTo }) {
    const file = join(folder, 'puma.rb');
    const lines = [
      `bind 'tcp://127.0.0.1:${port}?backlog=1024'`,
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
  reload: (server) => server.child.kill('SIGUSR1'),
};
