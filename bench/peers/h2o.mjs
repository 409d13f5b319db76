import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { badDays, lacking, needsApp } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'h2o',
  name: 'h2o',
  kind: 'other',
  about: 'what a server in C does without an app: 14 bytes, 10 and 100 KB from files; no access log',
  find: () => ({ h2o: programVersion('h2o', ['--version'], 'apt-get install h2o') }),
  command({ port, workers, folder, certificate }) {
    const ssl =
      certificate === undefined
        ? ''
        : `, ssl: { certificate-file: ${certificate.certfile}, key-file: ${certificate.keyfile} }`;
    writeFileSync(join(folder, 'index.txt'), 'Hello, world!\n');
    writeFileSync(join(folder, '10k'), 'x'.repeat(10 * 1024));
    writeFileSync(join(folder, '100k'), 'x'.repeat(100 * 1024));
    const lines = [
      `num-threads: ${workers}`,
      'max-connections: 16384',
      `listen: { host: 127.0.0.1, port: ${port}${ssl} }`,
      // Started by root it would become nobody, who cannot read the folder.
      `user: ${userInfo().username}`,
      `pid-file: ${folder}/h2o.pid`,
      'file.mime.setdefaulttype: application/octet-stream',
      'http1-request-timeout: 65',
      'hosts:',
      '  default:',
      '    paths:',
      `      /: { file.dir: ${folder}, file.index: [index.txt] }`,
    ];
    const file = join(folder, 'h2o.conf');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return { command: ['h2o', '-c', file] };
  },
  lacks: {
    ...lacking([...needsApp, ...badDays], 'it runs no app'),
    ...lacking(['certificate'], 'a restart without an outage needs start_server'),
  },
};
