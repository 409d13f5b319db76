/** Servers that are compared with and are no dependency of tsgun: fetched from the npm registry when a contest first wants them. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchPath, nginx } from './servers.mjs';

const versions = { bun: '1.4.5', deno: '2.9.6' };
const folder = fileURLToPath(new URL('../../node_modules/.cache/bench-peers', import.meta.url));

/** @type {Record<string, { contestant: import('./servers.mjs').Contestant, apps?: readonly string[] }>} */
export const peers = {
  /** It answers as apps/hello.js does, whatever the app. */
  nginx: { contestant: nginx, apps: ['hello'] },
  bun: {
    contestant: {
      name: 'Bun.serve',
      command: (app, port) => [binary('bun'), benchPath('peers/bun.js'), app, String(port)],
    },
  },
  deno: {
    contestant: {
      name: 'Deno.serve',
      command: (app, port) => [binary('deno'), 'run', '--allow-all', benchPath('peers/deno.js'), app, String(port)],
    },
  },
};

const binary = (name) => join(folder, `${name}-${versions[name]}`, 'node_modules', '.bin', name);

/** @param {readonly string[]} names @throws Error if one cannot be fetched */
export function fetchPeers(names) {
  for (const name of names) {
    if (!(name in versions) || existsSync(binary(name))) continue;
    const prefix = join(folder, `${name}-${versions[name]}`);
    const args = ['install', '--prefix', prefix, '--no-audit', '--no-fund', `${name}@${versions[name]}`];
    const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}:\n${stderr}`);
  }
}
