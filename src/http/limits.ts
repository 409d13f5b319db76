/** How much of each thing a client may send, and how long it may take. The unit is in the name; 0 means no limit. */

export interface Limits {
  /** Without its CRLF. */
  readonly requestLineBytes: number;
  /** At least 1: this one has no "no limit". */
  readonly fieldCount: number;
  /** One field line, without its CRLF. */
  readonly fieldBytes: number;
  readonly bodyBytes: number;
}

export interface Timeouts {
  /** The whole request head, from the connection's first chance to send it. */
  readonly headerMs: number;
  /** Silence inside a body, or of a client that takes nothing of what was sent. */
  readonly bodyMs: number;
  /** Idle time between requests; 0 closes the connection after each response. */
  readonly keepAliveMs: number;
  /** One request, from its head to the end of its answer; 0 for no limit. */
  readonly requestMs: number;
  /** One request as its client sends it, from the first byte of its head to the last of its body. No limit if absent. */
  readonly receiveMs?: number | undefined;
}

/** Limits and timeouts that an app has set on its own `http.Server`, in place of those with the same name. */
export interface OwnLimits {
  readonly keepAliveMs?: number;
  readonly headerMs?: number;
  readonly receiveMs?: number;
  readonly fieldCount?: number;
  /** The most connections of its worker at once; others are closed as soon as they are accepted. */
  readonly maxConnections?: number;
}

/** Empty lines tolerated before a request line (RFC 9112 §2.2: at least one). */
export const maxEmptyLines = 4;
/** A chunk-size line with its extensions (RFC 9112 §7.1.1), and all extensions of one body. */
export const maxChunkLineBytes = 4096;
export const maxChunkExtensionBytes = 16 * 1024;
/** The most that is read and discarded of a body that the app left unread. Beyond that the connection is closed. */
export const maxDrainBytes = 256 * 1024;
/** How long a closed connection is kept so that the last answer reaches the client. */
export const lingerMs = 2000;
/** The same while the client goes on sending a body that nobody reads: nginx's `lingering_time`. */
export const maxLingerMs = 30_000;
/** How long a client that has closed its half keeps its place while its app writes nothing: see `departure.ts`. */
export const departureMs = 1000;
/** Answers to pipelined requests that are kept together for one write. */
export const maxHeldBytes = 64 * 1024;
/** The time in which an app may still answer after `tsgun.signal` has told it that its time is over. */
export const overdueGraceMs = 250;
/** From this size on, the rest of a body gets a buffer of its own. */
export const largeBodyBytes = 32 * 1024;

export const defaultLimits: Limits = { requestLineBytes: 8190, fieldCount: 100, fieldBytes: 8190, bodyBytes: 0 };
export const defaultTimeouts: Timeouts = { headerMs: 15_000, bodyMs: 30_000, keepAliveMs: 65_000, requestMs: 0 };

/**
 * The most that all answers of a worker may hold together for slow clients, where an app that waits blocks others. Beyond it,
 * each may still hold as much as its class allows for one.
 */
export const maxHeldAnswersBytes = 128 * 1024 * 1024;

/** How much is kept of a body that the app has not begun to read, and of pipelined requests that wait. */
export const maxQueuedBytes = 64 * 1024;

/**
 * The most that all bodies may take that are read ahead and wait for the app (`read-ahead.ts`). At 1 MiB each, 10,000
 * connections could take 10 GiB.
 */
export const maxReadAheadBytes = 128 * 1024 * 1024;
