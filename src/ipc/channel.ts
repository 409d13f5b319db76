/**
 * Typed messages over Node's IPC channel. The app may use the channel too. Ours travel in an envelope of the form that Node keeps
 * from its `message` events (https://nodejs.org/api/process.html#processsendmessage-sendhandle-options-callback).
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
/** Node's form of an internal message. */
const cmd = 'NODE_TSGUN';

interface Internal {
  on(event: 'internalMessage', listener: (received: unknown, handle: unknown) => void): unknown;
}

export function sendToWorker(worker: Channel, message: MasterMessage): void {
  void send(worker, message);
}

/** Afterwards both sides have the socket; the sender destroys its own when the receiver confirms. */
export function sendConnection(worker: SocketChannel, address: string, socket: Socket): void {
  const message: MasterMessage = { type: 'connection', address };
  if (worker.connected) worker.send({ cmd, [envelope]: message }, socket, { keepOpen: true }, () => {});
}

/** @returns a promise that settles when the message has left, or cannot */
export function sendToMaster(message: WorkerMessage): Promise<void> {
  return send(process, message);
}

function send(channel: Channel, message: unknown): Promise<void> {
  return new Promise((resolve) => {
    if (channel.connected !== true || channel.send === undefined) resolve();
    else channel.send({ cmd, [envelope]: message }, () => resolve());
  });
}

export function listenToMaster(take: (message: MasterMessage, socket: unknown) => void): void {
  listen(process as unknown as Internal, take);
}

export function listenToWorker(worker: object, take: (message: WorkerMessage) => void): void {
  listen(worker as Internal, take);
}

function listen<M>(channel: Internal, take: (message: M, handle: unknown) => void): void {
  channel.on('internalMessage', (received, handle) => {
    if (typeof received !== 'object' || received === null || !(envelope in received)) return;
    const message = received[envelope];
    if (typeof message === 'object' && message !== null) take(message as M, handle);
  });
}
