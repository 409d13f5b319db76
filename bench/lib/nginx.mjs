/** nginx as its documentation tunes it for many requests: the one configuration of every bench. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** What a server without an app answers to `/`. */
export const helloLocation = 'location / { return 200 "Hello, world!\\n"; }';

/**
 * Writes the configuration into the folder.
 * @param {object} options
 * @param {string} options.folder its own
 * @param {number} options.port
 * @param {number} [options.workers]
 * @param {{ certfile: string, keyfile: string }} [options.certificate] then over TLS, HTTP/2 among it
 * @param {readonly string[]} [options.http] more directives of the block `http`
 * @param {readonly string[]} [options.server] directives of the block `server`
 * @returns {string[]} the command
 */
export function nginxCommand({ folder, port, workers = 1, certificate, http = [], server = [helloLocation] }) {
  const tls =
    certificate === undefined
      ? []
      : [`ssl_certificate ${certificate.certfile};`, `ssl_certificate_key ${certificate.keyfile};`];
  const lines = [
    ...['daemon off;', `worker_processes ${workers};`, `pid ${folder}/nginx.pid;`, 'error_log stderr warn;'],
    ...['events { worker_connections 16384; }', 'http {', 'access_log off;', 'keepalive_requests 1000000000;'],
    ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
    ...http,
    ...['server {', `listen 127.0.0.1:${port}${certificate === undefined ? '' : ' ssl http2'} backlog=2048;`, ...tls],
    ...['default_type text/plain;', ...server, '}', '}'],
  ];
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return ['nginx', '-p', folder, '-c', file];
}
