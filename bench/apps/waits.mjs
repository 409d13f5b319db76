/** Waits, as for a database: `/export` half a second, anything else a tenth; `/light` not at all. */

import { setTimeout as sleep } from 'node:timers/promises';

const times = { '/export': 500, '/light': 0 };

export default async function answer(env, startResponse) {
  const ms = times[env.PATH_INFO] ?? 100;
  if (ms > 0) await sleep(ms);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['done\n'];
}
