/** A connection that speaks another protocol now (RFC 9110 §7.8), and what an interface keeps for a connection. */

import type { Bytes } from './answer-sink.ts';

export interface Tunnel {
  /** @returns false when the client takes less than it is sent: wait for `takeDrain` */
  write(bytes: Bytes): boolean;
  pause(): void;
  resume(): void;
  /** Nothing more is written. */
  end(): void;
  destroy(): void;
  /** Ends the connection with a reset, if the system allows it. */
  cut(): void;
}

export interface TunnelEvents {
  takeBytes(bytes: Buffer): void;
  /** The client writes nothing more. */
  takeEnd(): void;
  takeDrain(): void;
  /**
   * The server is about to end: the connection says so in its protocol, once.
   * @returns false in the middle of a message: then it can be asked again
   */
  takeFarewell(): boolean;
}

/** What an interface keeps for a connection. */
export interface Attachment {
  /** The client writes nothing more. Called again for each pipelined request that began after that. */
  takeEnd?(): void;
  /** Everything that was written is sent, and nothing more can be written. */
  takeFinish?(): void;
  /** The connection has failed, such as by a client's reset, or amid a request (`HttpError`): its end follows. */
  takeFailure?(error: Error): void;
  /** The connection is gone. */
  takeClose(): void;
}
