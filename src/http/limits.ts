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
  /** Silence inside a body, and a client that does not take what it asked for. */
  readonly bodyMs: number;
  /** Idle time between requests; 0 closes the connection after each response. */
  readonly keepAliveMs: number;
  /** One request, from its head to the end of its answer; 0 for no limit. */
  readonly requestMs: number;
  /** One request as its client sends it, from the first byte of its head to the last of its body; none where it is not there. */
  readonly receiveMs?: number | undefined;
}

/** What an app has set on its own `http.Server`. Each takes the place of the limit or timeout of that name. */
export interface OwnLimits {
  readonly keepAliveMs?: number;
  readonly headerMs?: number;
  readonly receiveMs?: number;
  readonly fieldCount?: number;
  /** What its worker holds at once; those beyond it are closed as soon as they are accepted. */
  readonly maxConnections?: number;
}

/** Empty lines tolerated before a request line (RFC 9112 §2.2: at least one). */
export const maxEmptyLines = 4;
/** A chunk-size line with its extensions (RFC 9112 §7.1.1), and all extensions of one body. */
export const maxChunkLineBytes = 4096;
export const maxChunkExtensionBytes = 16 * 1024;
/** What is read and thrown away of a body that the app left unread, before the connection is closed instead. */
export const maxDrainBytes = 256 * 1024;
/** How long a closed connection is kept so that the last answer reaches the client. */
export const lingerMs = 2000;
/** The same while the client goes on sending a body that nobody reads: nginx's `lingering_time`. */
export const maxLingerMs = 30_000;
/** How long a client that has closed its half keeps its place while its app writes nothing: see `departure.ts`. */
export const departureMs = 1000;
/** Answers to pipelined requests that are kept together for one write. */
export const maxHeldBytes = 64 * 1024;
/** What an app gets to answer once `tsgun.signal` has told it that its time is over. */
export const overdueGraceMs = 250;
/** From this size on, what is to come of a body is worth a buffer of its own. */
export const largeBodyBytes = 32 * 1024;

export const defaultLimits: Limits = { requestLineBytes: 8190, fieldCount: 100, fieldBytes: 8190, bodyBytes: 0 };
export const defaultTimeouts: Timeouts = { headerMs: 15_000, bodyMs: 30_000, keepAliveMs: 65_000, requestMs: 0 };

/**
 * What the answers of a worker may take together that wait for slow clients, where a waiting app holds up others. Beyond it,
 * each may still wait with as much as its class allows for one.
 */
export const maxHeldAnswersBytes = 128 * 1024 * 1024;

/** How much of a body is kept for an app that has not begun to read it, and of pipelined requests that wait. */
export const maxQueuedBytes = 64 * 1024;

/**
 * What all bodies may take that are read ahead of the app and wait for it (`read-ahead.ts`). At 1 MiB for each, 10,000
 * connections could take 10 GiB.
 */
export const maxReadAheadBytes = 128 * 1024 * 1024;
