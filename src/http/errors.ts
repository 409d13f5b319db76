/** A request that cannot be served, with its consequence: the status it is answered with. The connection is then closed. */

export type ErrorStatus = 400 | 408 | 413 | 414 | 417 | 431 | 500 | 501 | 503 | 504 | 505;

const reasons: Readonly<Record<ErrorStatus, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

export class HttpError extends Error {
  readonly status: ErrorStatus;
  /** What was read when it was found, in memory that the next read fills again. */
  packet: Buffer | undefined = undefined;

  /** @param message for the client: what is wrong with its request, and nothing about us */
  constructor(status: ErrorStatus, message: string) {
    super(message);
    this.status = status;
  }

  get statusLine(): string {
    return `${this.status} ${reasons[this.status]}`;
  }
}

/** What the app did against the rules of its interface. Becomes a 500, or a cut connection once the answer has begun. */
export class AppError extends Error {
  override get name(): string {
    return 'AppError';
  }
}

/** The client went away, or was cut off, before its request was done. Nobody's fault, and never logged as an error. */
export class ClientGone extends Error {
  override get name(): string {
    return 'ClientGone';
  }
}

/**
 * What streams and signals fail with when the connection that they work for is gone. Any of these can have another cause:
 * they are a departure only where the client is known to have left.
 */
const departureNames = new Set(['AbortError', 'TimeoutError', 'ClientGone']);
const departureCodes = new Set([
  'ABORT_ERR',
  'ECONNRESET',
  'EPIPE',
  'ERR_INVALID_STATE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_UNABLE_TO_PIPE',
]);
const maxCauseDepth = 8;

/** Whether an app may have thrown this, or have it as a cause, because it was told to stop. */
export function isDeparture(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth === maxCauseDepth) return false;
  try {
    const { name, code, cause } = error as { name: unknown; code?: unknown; cause?: unknown };
    return departureNames.has(name as string) || departureCodes.has(code as string) || isDeparture(cause, depth + 1);
  } catch {
    // An app can throw what throws when it is looked at.
    return false;
  }
}

/** What `tsgun.signal` is aborted with when a request's time is over. Its name is what `AbortSignal.timeout` has too. */
export function timeoutError(message = 'the request took longer than it may'): Error {
  return new DOMException(message, 'TimeoutError');
}

/** What the client is told then. */
export function overdueAnswer(): HttpError {
  return new HttpError(504, 'the application took too long');
}
