/** Socket activation: listening sockets that systemd has bound, used in place of `bind` (sd_listen_fds(3)). */

import type { Source } from './sources.ts';

/** The name of this source; in a configuration it shows that `bind` was passed in. */
export const activationOrigin = '$LISTEN_FDS';

/** By this variable a successor knows that its sockets came from systemd; there, the descriptors need not begin at 3. */
export const activatedVariable = 'TSGUN_ACTIVATED';

/** SD_LISTEN_FDS_START */
const firstFd = 3;

/**
 * Warns of sockets that seem to be passed to this process but cannot be used. Called before `takeActivation`.
 * @returns a warning for the log
 */
export function activationWarnings(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): string[] {
  const { LISTEN_PID, LISTEN_FDS, [activatedVariable]: handedOver } = env;
  if (handedOver || LISTEN_FDS === undefined || LISTEN_FDS === '0') return [];
  const unused = `LISTEN_FDS=${LISTEN_FDS} is ignored, and tsgun listens where bind says`;
  if (LISTEN_PID !== String(pid)) {
    const owner = LISTEN_PID === undefined ? 'LISTEN_PID is not set' : `LISTEN_PID says process ${LISTEN_PID}`;
    return [
      `${unused}: ${owner}, and this is process ${pid}; have the unit start tsgun itself, not npm, npx or a shell`,
    ];
  }
  return countOf(LISTEN_FDS) === undefined ? [`${unused}: it is no number of sockets`] : [];
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/**
 * The source that overrules all others, if sockets were passed to this very process. The variables are taken out of the
 * environment in any case: they are not for the processes that this one starts.
 */
export function takeActivation(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): Source[] {
  const { LISTEN_PID, LISTEN_FDS, [activatedVariable]: handedOver } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', activatedVariable]) delete env[name];
  if (handedOver) return [{ name: activationOrigin, values: { bind: handedOver } }];
  const count = LISTEN_PID === String(pid) ? (countOf(LISTEN_FDS) ?? 0) : 0;
  if (count === 0) return [];
  return [{ name: activationOrigin, values: { bind: Array.from({ length: count }, (_, n) => `fd://${firstFd + n}`) } }];
}
