/** Typed sending over Node's IPC channel. The other side may be gone at any moment: that is reported elsewhere, not here. */

import type { MasterMessage, WorkerMessage } from './messages.ts';

interface Channel {
  readonly connected?: boolean;
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
}

export function sendToWorker(worker: Channel, message: MasterMessage): void {
  send(worker, message);
}

/** @returns a promise that settles when the message has left, or cannot */
export function sendToMaster(message: WorkerMessage): Promise<void> {
  return send(process, message);
}

function send(channel: Channel, message: unknown): Promise<void> {
  return new Promise((resolve) => {
    if (channel.connected !== true || channel.send === undefined) resolve();
    else channel.send(message, () => resolve());
  });
}
