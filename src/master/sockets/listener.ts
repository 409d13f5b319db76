/** What a listening socket of the master is, of whatever kind. */

import type { WorkerSocket } from '../../ipc/order.ts';

export interface Listener {
  /** The configured address: two configurations with the same one share the socket. */
  readonly key: string;
  /** The bound address: with the port, or the absolute path. */
  readonly address: string;
  readonly socket: WorkerSocket;
  /** Of a TCP socket. */
  readonly endpoint?: Endpoint;
  /** Of a unix socket whose file is ours to remove. */
  readonly file?: SocketFile;
  /** Called once, when the first worker accepts on it: a socket that workers bind exists from now on. */
  onListening?(): void;
  /** May be called twice. */
  close(): void;
}

/** One end of TCP, as the system sees it. */
export interface Endpoint {
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only: boolean;
}

/** A file by what it is rather than by its name. */
export interface SocketFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Another process that accepts there: while it lives, the file is left to it. */
  sharedWith?: number;
}
