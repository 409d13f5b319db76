/**
 * Typed messages over Node's IPC channel. The app may use the channel too, so ours travel in an envelope.
 * The other side may be gone at any moment; the exit or disconnect event reports that.
 */

import type { Serializable } from 'node:child_process';
import type { Socket } from 'node:net';
import type { MasterMessage, WorkerMessage } from './messages.ts';

interface Channel {
  readonly connected?: boolean;
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
}

interface SocketChannel {
  readonly connected: boolean;
  send(
    message: Serializable,
    socket: Socket,
    options: { keepOpen: boolean },
    callback: (error: Error | null) => void,
  ): boolean;
}

const envelope = 'tsgun';

export function sendToWorker(worker: Channel, message: MasterMessage): void {
  void send(worker, message);
}

/** Both sides have the socket then; the sender destroys its own when the receiver confirms. */
export function sendConnection(worker: SocketChannel, address: string, socket: Socket): void {
  const message: MasterMessage = { type: 'connection', address };
  if (worker.connected) worker.send({ [envelope]: message }, socket, { keepOpen: true }, () => {});
}

/** @returns a promise that settles when the message has left, or cannot */
export function sendToMaster(message: WorkerMessage): Promise<void> {
  return send(process, message);
}

function send(channel: Channel, message: unknown): Promise<void> {
  return new Promise((resolve) => {
    if (channel.connected !== true || channel.send === undefined) resolve();
    else channel.send({ [envelope]: message }, () => resolve());
  });
}

/** Takes the message out of its envelope; undefined for a message of the app. */
export function openEnvelope<T extends MasterMessage | WorkerMessage>(received: unknown): T | undefined {
  if (typeof received !== 'object' || received === null || !(envelope in received)) return undefined;
  const message = received[envelope];
  return typeof message === 'object' && message !== null ? (message as T) : undefined;
}
