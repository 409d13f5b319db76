/** A request that cannot be served, and the status that answers it. The connection is closed after that. */

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
  /** The bytes read when the error was found, in memory that the next read overwrites. */
  packet: Buffer | undefined = undefined;

  /** @param message for the client: what is wrong with its request, without any internals */
  constructor(status: ErrorStatus, message: string) {
    super(message);
    this.status = status;
  }

  get statusLine(): string {
    return `${this.status} ${reasons[this.status]}`;
  }
}

/** The app broke a rule of its interface. The client gets a 500, or a cut connection if the answer has begun. */
export class AppError extends Error {
  override get name(): string {
    return 'AppError';
  }
}

/** The client left, or was cut off, before its request was done. It is never logged as an error. */
export class ClientGone extends Error {
  override get name(): string {
    return 'ClientGone';
  }
}

/**
 * Names of errors with which streams and signals fail when their connection has gone. They may have other causes, so they count
 * as a departure only if the client is known to have left.
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
    // An app may throw an object whose getters throw.
    return false;
  }
}

/** The reason with which `tsgun.signal` aborts when a request's time is over. `AbortSignal.timeout` uses the same name. */
export function timeoutError(message = 'the request took longer than it may'): Error {
  return new DOMException(message, 'TimeoutError');
}

/** What the client of such a request gets. */
export function overdueAnswer(): HttpError {
  return new HttpError(504, 'the application took too long');
}
