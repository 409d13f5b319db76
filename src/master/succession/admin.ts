/**
 * The admin listener of two masters: the newer one takes it over once it serves, and the older one has it back if the newer
 * one exits. The socket crosses the IPC channel between the two, as Node passes listening sockets.
 */

import type { ChildProcess } from 'node:child_process';
import { Server as ListeningSocket } from 'node:net';
import type { AdminListener } from '../admin/listener.ts';

/** How long the older master may take to answer. */
const answerMs = 1000;

type Message =
  /** From the newer one. */
  | { readonly adminWanted: string }
  | { readonly adminTaken: string }
  /** From the older one; the socket comes along if it has one at that place. */
  | { readonly adminGiven: string };

/**
 * For the older master. @param current its listener now
 */
export function giveAdmin(newer: ChildProcess, current: () => AdminListener | undefined): void {
  newer.on('message', (message: Partial<Record<'adminWanted' | 'adminTaken', string>>) => {
    const listener = current();
    if (message?.adminWanted !== undefined) {
      const socket = message.adminWanted === listener?.key ? listener.socket : undefined;
      const answer: Message = { adminGiven: message.adminWanted };
      // The newer master may be gone: `successor.ts` logs its exit.
      newer.send(answer, socket, {}, () => {});
    } else if (message?.adminTaken !== undefined && message.adminTaken === listener?.key) listener.release();
  });
  newer.once('exit', () => void current()?.openInTime(false));
}

/** For the newer master, once it serves: for a listener that is pending. */
export async function takeAdmin(listener: AdminListener): Promise<void> {
  const socket = listener.place.where.kind === 'tcp' ? await askForSocket(listener.key) : undefined;
  // If it cannot be used, the address is free, or becomes free.
  await (socket === undefined ? Promise.resolve() : listener.adopt(socket).catch(() => {}));
  await listener.openInTime(true);
  tell({ adminTaken: listener.key });
}

function tell(message: Message): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

function askForSocket(key: string): Promise<ListeningSocket | undefined> {
  if (!process.connected) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const settle = (socket?: ListeningSocket) => {
      clearTimeout(timer);
      process.off('message', take);
      process.channel?.unref();
      resolve(socket);
    };
    const take = (message: { adminGiven?: string } | null, socket?: unknown) => {
      if (message?.adminGiven === key) settle(socket instanceof ListeningSocket ? socket : undefined);
    };
    const timer = setTimeout(settle, answerMs);
    process.on('message', take);
    tell({ adminWanted: key });
  });
}
