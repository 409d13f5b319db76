import { join } from 'node:path';
import { npmPackages, packageVersion } from '../lib/install.mjs';
import { app, lacking, listening } from './common.mjs';

const folder = () => npmPackages('bun', ['bun@1.4.5']);
/** Installed when it is first asked for. */
export const program = () => join(folder(), 'node_modules/bun/bin/bun.exe');

/** @type {import('../lib/peer-server.mjs').Peer} */
export default {
  id: 'bun',
  name: 'Bun',
  kind: 'other',
  about:
    '`Bun.serve` with routes; several processes with `reusePort`; on bad days started again by a supervisor, as by systemd',
  needsSupervisor: true,
  sharesPort: true,
  lacks: lacking(['h2'], '`Bun.serve` has no HTTP/2'),
  find: () => ({ Bun: packageVersion(folder(), 'bun') }),
  command: (place) => ({
    command: [program(), app('bun.mjs')],
    env: listening(place),
  }),
};
