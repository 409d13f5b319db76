/** Gives up root's rights for good. */

import { BootError, report } from '../errors.ts';
import type { Identity } from '../ipc/order.ts';

/** Node has it; the types that we use do not. */
const { initgroups } = process as NodeJS.Process & { initgroups?(user: string, group: number): void };

/** @throws BootError if the system refuses; then the process must end */
export function become({ gid, user }: Identity): void {
  try {
    // The order matters: the last step takes away the right to the steps before it.
    if (user?.name !== undefined) initgroups?.(user.name, gid);
    else if (user !== undefined) process.setgroups?.([gid]);
    process.setgid?.(gid);
    if (user !== undefined) process.setuid?.(user.uid);
  } catch (error) {
    throw new BootError(`cannot become user ${user?.uid ?? 'as before'}, group ${gid}: ${report(error).message}`);
  }
}
