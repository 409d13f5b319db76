/** Socket activation: listening sockets that systemd has bound, used in place of `bind` (sd_listen_fds(3)). */

import type { Source } from './sources.ts';

/** Names a source of settings, and by that says in a configuration that its `bind` was passed in. */
export const activationOrigin = '$LISTEN_FDS';

/** How a master tells its successor that its sockets came that way; the descriptors need not begin at 3 any more. */
export const activatedVariable = 'TSGUN_ACTIVATED';

/** SD_LISTEN_FDS_START */
const firstFd = 3;

/**
 * The source that overrules all others, if sockets were passed to this very process. The variables are taken out of the
 * environment in any case: they are for nobody that this process starts.
 */
export function takeActivation(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): Source[] {
  const { LISTEN_PID, LISTEN_FDS, [activatedVariable]: handedOver } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', activatedVariable]) delete env[name];
  if (handedOver) return [{ name: activationOrigin, values: { bind: handedOver } }];
  const count = LISTEN_PID === String(pid) && /^\d{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  if (count === 0) return [];
  return [{ name: activationOrigin, values: { bind: Array.from({ length: count }, (_, n) => `fd://${firstFd + n}`) } }];
}
