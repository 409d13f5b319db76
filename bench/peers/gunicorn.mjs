import { programVersion } from '../lib/install.mjs';
import { app, hangSeconds, lacking } from './common.mjs';

const folder = app('');
const remedy = 'apt-get install gunicorn';

/** @returns {import('../lib/peer-server.mjs').Peer} */
function gunicorn(id, name, about, options, lacks = {}) {
  return {
    ...{ id, name, about, lacks, kind: 'other' },
    find: () => ({ gunicorn: programVersion('gunicorn', ['--version'], remedy) }),
    command: ({ port, workers }) => ({
      command: [
        ...['gunicorn', '-w', String(workers), '-b', `127.0.0.1:${port}`, '--backlog', '2048', '--chdir', folder],
        ...['--timeout', hangSeconds, ...options, 'app:app'],
      ],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
  };
}

const pipelined = lacking(['pipelined'], 'it loses what follows in the same write');

export default [
  gunicorn('gunicorn-sync', 'gunicorn sync', 'sync workers, which close each connection', ['-k', 'sync'], pipelined),
  gunicorn(
    ...['gunicorn-gthread', 'gunicorn gthread', 'workers with 32 threads, keep-alive'],
    ['-k', 'gthread', '--threads', '32', '--keep-alive', '65'],
    pipelined,
  ),
];
