/** What a worker may have `node:cluster` bind for it (the primary's `internalMessage` event). */

import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** What a worker asks cluster's primary to bind for it, whenever it listens: a path has the port -1. */
export interface BindRequest {
  readonly address: string | null;
  readonly port: number;
  readonly fd?: number;
}

/**
 * Answers what a worker asks the primary to bind, where that is not allowed, with EACCES. Node has no documented way.
 * Without this, an app could ask the primary, which runs as root, for any port or socket path after its worker has given up
 * root's rights. So it stays on when the other uses are off.
 */
export function restrictBinding(worker: ChildProcess, isAllowed: (request: BindRequest) => boolean): void {
  const emit = worker.emit as (this: ChildProcess, event: string, ...args: unknown[]) => boolean;
  const filtered = (event: string, ...args: unknown[]): boolean => {
    const message = args[0] as Partial<BindRequest & { cmd: string; act: string; seq: number }> | undefined;
    const isRequest = event === 'internalMessage' && message?.cmd === 'NODE_CLUSTER' && message.act === 'queryServer';
    if (!isRequest || isAllowed({ address: null, port: -1, ...message })) return emit.call(worker, event, ...args);
    // The worker may be gone by now: the callback takes the error.
    worker.send({ cmd: 'NODE_CLUSTER', ack: message?.seq, errno: -constants.errno.EACCES }, () => {});
    return true;
  };
  worker.emit = filtered;
}
