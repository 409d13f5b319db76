/**
 * What a client can tell a lost or mixed-up answer by: the body names the version and repeats the path, a header names the
 * process. A scenario writes an app of its own around this, so that it can change between reloads.
 */

import { setTimeout as sleep } from 'node:timers/promises';

const textField = ['Content-Type', 'text/plain'];
const pidField = ['X-Pid', String(process.pid)];
const fields = [textField, pidField];

/**
 * @param {string} version
 * @returns {import('tsgun').App}
 */
export function storm(version) {
  return (env, startResponse) => {
    const path = env.PATH_INFO;
    if (path === '/hang') for (;;);
    startResponse('200 OK', fields);
    return path.startsWith('/slow/') ? slow(path) : [`${version} ${path}\n`];
  };
}

/** `/slow/AWAITS/MILLISECONDS`: so many timers waited for at once. The head, with the pid, goes out before. */
async function* slow(path) {
  const [, , awaits, ms] = path.split('/');
  yield 'begun\n';
  await Promise.all(Array.from({ length: Number(awaits) }, () => sleep(Number(ms))));
  yield 'done\n';
}
