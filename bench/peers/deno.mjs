import { join } from 'node:path';
import { npmPackages, packageVersion } from '../lib/install.mjs';
import { app, lacking, needsTls } from './common.mjs';

const folder = () => npmPackages('deno', ['deno@2.9.6']);
/** Installed when it is first asked for. */
export const program = () => join(folder(), 'node_modules/deno/deno');

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'deno',
  name: 'Deno',
  kind: 'other',
  about:
    '`deno serve`, with `--parallel` for several threads; on bad days started again by a supervisor, as by systemd',
  needsSupervisor: true,
  hasThreads: true,
  lacks: lacking(needsTls, '`deno serve` has no TLS'),
  find: () => ({ Deno: packageVersion(folder(), 'deno') }),
  command: ({ port, workers }) => ({
    command: [
      ...[program(), 'serve', '--allow-all', '--no-config'],
      ...(workers > 1 ? ['--parallel'] : []),
      ...['--host', '127.0.0.1', '--port', String(port), app('deno.mjs')],
    ],
    env: { DENO_JOBS: String(workers), DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(folder(), 'cache') },
  }),
};
