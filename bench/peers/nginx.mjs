import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
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
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const configuration = `
      daemon off;
      worker_processes ${workers};
      pid ${folder}/nginx.pid;
      error_log stderr warn;
      events { worker_connections 16384; }
      http {
        access_log off;
        sendfile on;
        open_file_cache max=100;
        keepalive_requests 1000000000;
        ${temporary.join(' ')}
        server {
          listen 127.0.0.1:${port} backlog=2048;
          default_type text/plain;
          root ${folder};
          location = /10k { default_type application/octet-stream; }
          location / { return 200 "Hello, world!\\n"; }
        }
      }`;
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration);
    return { command: ['nginx', '-p', folder, '-c', file] };
  },
  lacks: lacking(['json', 'upload', ...badDays], 'it runs no app'),
};
