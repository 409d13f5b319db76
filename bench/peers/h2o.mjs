import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { badDays, lacking } from './common.mjs';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'h2o',
  name: 'h2o',
  kind: 'other',
  about: 'what a server in C does without an app: 14 bytes and 10 KB from files; no access log',
  find: () => ({ h2o: programVersion('h2o', ['--version'], 'apt-get install h2o') }),
  command({ port, workers, folder }) {
    writeFileSync(join(folder, 'index.txt'), 'Hello, world!\n');
    writeFileSync(join(folder, '10k'), 'x'.repeat(10 * 1024));
    const lines = [
      `num-threads: ${workers}`,
      `listen: { host: 127.0.0.1, port: ${port} }`,
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
  lacks: lacking(['json', 'upload', ...badDays], 'it runs no app'),
};
