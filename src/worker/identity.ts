/** Gives up root's rights, for good. */

import { BootError, report } from '../errors.ts';
import type { Identity } from '../ipc/order.ts';

/** Node has it since 0.9, its types since later than ours. */
const { initgroups } = process as NodeJS.Process & { initgroups?(user: string, group: number): void };

/** @throws BootError when the system refuses; the process must not go on then */
export function become({ gid, user }: Identity): void {
  try {
    // While this is still root: the last step takes away the right to the ones before it.
    if (user?.name !== undefined) initgroups?.(user.name, gid);
    else if (user !== undefined) process.setgroups?.([gid]);
    process.setgid?.(gid);
    if (user !== undefined) process.setuid?.(user.uid);
  } catch (error) {
    throw new BootError(`cannot become user ${user?.uid ?? 'as before'}, group ${gid}: ${report(error).message}`);
  }
}
