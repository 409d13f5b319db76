import { programVersion } from '../lib/install.mjs';
import { app, gunicornOptions, hangSeconds, lacking } from './common.mjs';

const folder = app('');
const remedy = 'apt-get install gunicorn';

/** @returns {import('../lib/peer-server.mjs').Peer} */
function gunicorn(id, name, about, options, lacks = {}, versions = () => ({})) {
  return {
    ...{ id, name, about, kind: 'other' },
    lacks: { ...lacks, ...lacking(['h2'], 'it has no HTTP/2') },
    find: () => ({ gunicorn: programVersion('gunicorn', ['--version'], remedy), ...versions() }),
    command: ({ port, workers, ...wishes }) => ({
      command: [
        ...['gunicorn', '-w', String(workers), '-b', `127.0.0.1:${port}`, '--backlog', '2048', '--chdir', folder],
        ...['--timeout', hangSeconds, ...gunicornOptions(wishes), ...options, 'app:app'],
      ],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
  };
}

/** Debian's gunicorn runs on Debian's Python. */
const gevent = () =>
  programVersion(
    ...['/usr/bin/python3', ['-c', 'import gevent; print(gevent.__version__)']],
    ...['apt-get install python3-gevent', 'gevent'],
  );
const pipelined = lacking(['pipelined'], 'it loses what follows in the same write');

export default [
  gunicorn('gunicorn-sync', 'gunicorn sync', 'sync workers, which close each connection', ['-k', 'sync'], {
    ...pipelined,
    ...lacking(['idle'], 'it keeps no connection'),
  }),
  gunicorn(
    ...['gunicorn-gthread', 'gunicorn gthread', 'workers with 32 threads, keep-alive'],
    ['-k', 'gthread', '--threads', '32', '--keep-alive', '65'],
    pipelined,
  ),
  gunicorn(
    ...['gunicorn-gevent', 'gunicorn gevent', 'greenlets, keep-alive'],
    ['-k', 'gevent', '--keep-alive', '65'],
    pipelined,
    () => ({ gevent: gevent() }),
  ),
];
