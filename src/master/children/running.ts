/** The running requests of all workers, asked of their watchdogs, so that a blocked worker does not hold up the answer. */

import type { RequestDetail } from '../../ipc/messages.ts';
import { type Child, silenceOf } from '../pool.ts';
import type { Children } from './children.ts';

/** The whole answer is to be there within 200 ms. */
const waitMs = 150;

export interface WorkerRequests {
  readonly pid: number | undefined;
  readonly worker: number;
  readonly generation: number;
  readonly unresponsive: boolean;
  /** Whether its watchdog has answered; if not, `requests` is empty and `more` is what the last beat said. */
  readonly isKnown: boolean;
  /** The oldest first. */
  readonly requests: readonly RequestDetail[];
  /** How many run beside those. */
  readonly more: number;
}

/** By number. */
export async function runningRequests(
  list: readonly Child[],
  children: Pick<Children, 'examine'>,
  now: number,
): Promise<WorkerRequests[]> {
  // A worker that boots has no requests.
  const asked = list.filter(({ state }) => state !== 'booting').map((child) => ask(child, children, now));
  return (await Promise.all(asked)).sort((one, other) => one.worker - other.worker);
}

async function ask(child: Child, children: Pick<Children, 'examine'>, now: number): Promise<WorkerRequests> {
  const { pid, worker, generation, beat } = child;
  const about = { pid, worker, generation, unresponsive: silenceOf(child, now) > 0 };
  try {
    const findings = await children.examine(child, { type: 'requests' }, waitMs);
    // The app could write to that pipe too.
    if ('running' in findings && Array.isArray(findings.running?.requests))
      return { ...about, isKnown: true, ...findings.running };
  } catch {
    // It has ended, or its watchdog has no time either.
  }
  return { ...about, isKnown: false, requests: [], more: beat.running };
}
