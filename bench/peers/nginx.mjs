import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { helloLocation, nginxCommand } from '../lib/nginx.mjs';
import { badDays, lacking, needsApp } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'nginx',
  name: 'nginx',
  kind: 'other',
  about: 'what a server in C does without an app: `return 200`, and 10 and 100 KB from files; no access log',
  find: () => ({ nginx: programVersion('nginx', ['-v'], 'apt-get install nginx-light') }),
  command({ port, workers, folder, certificate }) {
    writeFileSync(join(folder, '10k'), 'x'.repeat(10 * 1024));
    writeFileSync(join(folder, '100k'), 'x'.repeat(100 * 1024));
    const files = ['10k', '100k'].map((name) => `location = /${name} { default_type application/octet-stream; }`);
    const command = nginxCommand({
      ...{ folder, port, workers, certificate, http: ['sendfile on;', 'open_file_cache max=100;'] },
      server: [`root ${folder};`, ...files, helloLocation],
    });
    return { command };
  },
  lacks: lacking([...needsApp, ...badDays], 'it runs no app'),
};
