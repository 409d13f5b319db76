/** Logs requests and connections that failed or took too long. */

import { descriptorError } from '../../descriptors.ts';
import { type ErrorReport, report } from '../../errors.ts';
import type { HookRequest } from '../../hooks.ts';
import type { End } from '../../http/ends.ts';
import { isDeparture } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { mostListed, type RunningRequest } from '../../ipc/messages.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';
import { HttpRequest, rawRequest } from '../hook-request.ts';
import { waiting } from '../watchdog/waiting.ts';

/** Must not throw. */
export type OnError = (error: unknown, request: () => HookRequest) => void;

/**
 * Logs that the app failed a request.
 * @param shortages is told if a descriptor was missing; without a master there is none
 * @param onError is called if it was the app's own failure
 */
export function logFailure(
  log: Logger,
  exchange: Exchange,
  error: unknown,
  shortages?: Shortages,
  onError?: OnError,
): void {
  const { head, requestId, isStarted, isGone, isOverdue, leaveReason } = exchange;
  const { message, stack } = report(error);
  const request = { method: head.method, path: head.path, requestId };
  // An app may throw because it was told that its client left: that is no failure.
  if (isDeparture(error)) {
    if (isOverdue && !isGone) return logTimeout(log, exchange, Math.round(performance.now() - exchange.startedAt));
    // The answer was complete, but part of it still waited for a client that has left.
    const isUntaken = exchange.isEnded && exchange.transport.pendingBytes > 0;
    if (isGone || leaveReason !== undefined || isUntaken)
      return log.say('debug', { ...request, error: message }, 'the app gave up a request that nobody waits for');
  }
  onError?.(error, () => new HttpRequest(exchange));
  const code = descriptorError(error);
  if (code !== undefined) shortages?.tell({ of: 'descriptors', where: 'app', code });
  const outcome = isStarted ? 'the connection was cut' : `answered ${isOverdue ? 504 : 500}`;
  const what = code === undefined ? 'the app failed a request' : 'a request failed for want of a file descriptor';
  log.event('error', 'request_failed', { ...request, error: message, outcome, stack }, what);
}

/** A request that may have been answered by now. */
export interface LateRequest {
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
}

/** Logs a failure of work that the app continued after its answer. The answer does not depend on it. */
export function logLateFailure(
  log: Logger,
  { method, path, requestId }: LateRequest,
  { message, stack }: ErrorReport,
): void {
  const fields = { method, path, requestId, error: message, outcome: 'the answer is not affected', stack };
  log.event('error', 'request_failed', fields, 'work that was to go on after an answer failed');
}

export interface AtTimeout {
  /** Where the request's code was, or why that is not known. Not given if none of it ran, as where the app awaits something. */
  readonly stack?: string | undefined;
  /** Whether the client had left. */
  readonly hasLeft?: boolean;
  /** What the worker has running, this request among it. */
  readonly requests?: readonly RunningRequest[] | undefined;
}

export function logTimeout(
  log: Logger,
  { head, requestId, isStarted }: Pick<Exchange, 'head' | 'requestId' | 'isStarted'>,
  ms: number,
  { stack = waiting, hasLeft = false, requests }: AtTimeout = {},
): void {
  const outcome = hasLeft ? 'the client had gone' : isStarted ? 'the connection was cut' : 'answered 504';
  const { method, path } = head;
  const running = (requests ?? [{ method, path, ms }]).slice(0, mostListed);
  const fields = { method, path, requestId, ms, outcome, stack, requests: running };
  log.event('warn', 'request_timeout', fields, 'a request took too long');
}

/** The app has failed a raw connection. */
export function logConnectionFailure(log: Logger, remote: End, error: unknown, onError?: OnError): void {
  onError?.(error, () => rawRequest(remote));
  const { address, port } = remote;
  const { message, stack } = report(error);
  const fields = {
    method: 'TCP',
    path: `${address}:${port}`,
    error: message,
    outcome: 'the connection was cut',
    stack,
  };
  log.event('error', 'request_failed', fields, 'the app failed a connection');
}
