import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programVersion } from '../lib/install.mjs';
import { app, hangSeconds, lacking, needsTls } from './common.mjs';

const remedy = 'apt-get install uwsgi-core uwsgi-plugin-python3';

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'uwsgi',
  name: 'uWSGI',
  kind: 'other',
  about: 'workers with 8 threads, `http11-socket`, `lazy-apps`; chain reload',
  find: () => ({
    uWSGI: programVersion(
      'uwsgi',
      ['--need-plugin', 'python3', '--version'],
      remedy,
      'uWSGI with its plugin for Python',
    ),
  }),
  command: ({ port, workers, folder, maxMemoryMib, logTo }) => ({
    command: [
      ...['uwsgi', '--plugin', 'python3', '--master', '--http11-socket', `127.0.0.1:${port}`, '--listen', '1024'],
      ...['--processes', String(workers), '--threads', '8', '--enable-threads', '--lazy-apps', '--die-on-term'],
      ...['--harakiri', hangSeconds, '--harakiri-verbose', '--need-app'],
      ...(logTo === undefined ? ['--disable-logging'] : []),
      ...(maxMemoryMib === undefined ? [] : ['--reload-on-rss', String(maxMemoryMib)]),
      ...['--master-fifo', join(folder, 'fifo'), '--pythonpath', app(''), '--module', 'app:app'],
    ],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  }),
  // "c": chain reload, one worker after another.
  reload: (server) => writeFileSync(join(server.place.folder, 'fifo'), 'c'),
  lacks: {
    ...lacking(['pipelined'], 'it loses what follows in the same write'),
    ...lacking(needsTls, '`http11-socket` has no TLS'),
  },
};
