import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { helloLocation, nginxCommand } from '../lib/nginx.mjs';
import { badDays, lacking } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'nginx',
  name: 'nginx',
  kind: 'other',
  about: 'what a server in C does without an app: `return 200`, and 10 KB from a file; no access log',
  find: () => ({ nginx: programVersion('nginx', ['-v'], 'apt-get install nginx-light') }),
  command({ port, workers, folder }) {
    writeFileSync(join(folder, '10k'), 'x'.repeat(10 * 1024));
    const file = 'location = /10k { default_type application/octet-stream; }';
    const command = nginxCommand({
      ...{ folder, port, workers, http: ['sendfile on;', 'open_file_cache max=100;'] },
      server: [`root ${folder};`, file, helloLocation],
    });
    return { command };
  },
  lacks: lacking(['json', 'upload', ...badDays], 'it runs no app'),
};
