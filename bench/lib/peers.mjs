/** Servers that `http.mjs` compares with and that are no dependency of tsgun: those of npm are installed when a contest first wants them. */

import { program as bun } from '../peers/bun.mjs';
import { program as deno } from '../peers/deno.mjs';
import { benchPath, nginx } from './servers.mjs';

/** @type {Record<string, { contestant: import('./servers.mjs').Contestant, apps?: readonly string[], fetch?: () => string }>} */
export const peers = {
  /** It answers as apps/hello.js does, whatever the app. */
  nginx: { contestant: nginx, apps: ['hello'] },
  bun: {
    contestant: {
      name: 'Bun.serve',
      command: (app, port) => [bun(), benchPath('peers/bun.js'), app, String(port)],
    },
    fetch: bun,
  },
  deno: {
    contestant: {
      name: 'Deno.serve',
      command: (app, port) => [deno(), 'run', '--allow-all', benchPath('peers/deno.js'), app, String(port)],
    },
    fetch: deno,
  },
};

/** @param {readonly string[]} names @throws Error if one cannot be fetched */
export function fetchPeers(names) {
  for (const name of names) peers[name]?.fetch?.();
}
