import { programVersion } from '../lib/install.mjs';
import { app, gunicornOptions, hangSeconds, lacking } from './common.mjs';

const remedy = 'apt-get install gunicorn python3-uvicorn python3-uvloop python3-httptools';

/** As its documentation of that version deploys it: under gunicorn. @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'uvicorn',
  name: 'uvicorn',
  kind: 'other',
  about: '`gunicorn -k uvicorn.workers.UvicornWorker`, an ASGI app',
  find: () => ({
    uvicorn: programVersion(
      '/usr/bin/python3',
      ['-c', 'import uvicorn; print(uvicorn.__version__)'],
      remedy,
      'uvicorn',
    ),
    gunicorn: programVersion('gunicorn', ['--version'], remedy),
  }),
  command: ({ port, workers, ...wishes }) => ({
    command: [
      ...['gunicorn', '-k', 'uvicorn.workers.UvicornWorker', '-w', String(workers), '-b', `127.0.0.1:${port}`],
      ...[
        '--backlog',
        '2048',
        '--keep-alive',
        '65',
        '--timeout',
        hangSeconds,
        '--chdir',
        app(''),
        ...gunicornOptions(wishes),
        'asgi:app',
      ],
    ],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  }),
  lacks: lacking(['h2'], 'it has no HTTP/2'),
};
