/** Settings, which users write in seconds, to what the HTTP server takes. */

import { milliseconds } from '../../config/durations.ts';
import type { Settings } from '../../config/settings.ts';
import { descriptorError } from '../../descriptors.ts';
import { report } from '../../errors.ts';
import { isDeparture } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { maxReadAheadBytes } from '../../http/limits.ts';
import { type Begin, ReadAhead } from '../../http/read-ahead.ts';
import type { HttpServerOptions } from '../../http/server.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';

/** How long nothing more is said of request bodies that take too much memory. */
const tellAgainMs = 60_000;

/** @param shortages told where the app fails for want of a descriptor; without a master there is nobody to tell */
export function httpOptions(settings: Settings, log: Logger, shortages?: Shortages): Omit<HttpServerOptions, 'handle'> {
  return {
    limits: {
      requestLineBytes: settings.limitRequestLine,
      fieldCount: settings.limitRequestFields,
      fieldBytes: settings.limitRequestFieldSize,
      bodyBytes: settings.limitRequestBody,
    },
    timeouts: {
      headerMs: milliseconds(settings.headerTimeout),
      bodyMs: milliseconds(settings.bodyTimeout),
      keepAliveMs: milliseconds(settings.keepAlive),
      requestMs: milliseconds(settings.requestTimeout),
    },
    onFailure: (exchange, error) => {
      const { head, isStarted, isGone, isOverdue, leaveReason } = exchange;
      const { message, stack } = report(error);
      const request = { method: head.method, path: head.path };
      // What an app throws because it was told to stop is no failure of the app.
      if (isDeparture(error)) {
        if (isOverdue && !isGone)
          return logTimeout(log, exchange, Math.round(performance.now() - exchange.startedAt), undefined);
        if (isGone || leaveReason !== undefined)
          return log.say('debug', { ...request, error: message }, 'the app gave up a request that nobody waits for');
      }
      const code = descriptorError(error);
      if (code !== undefined) shortages?.tell({ of: 'descriptors', where: 'app', code });
      const outcome = isStarted ? 'the connection was cut' : `answered ${isOverdue ? 504 : 500}`;
      const what = code === undefined ? 'the app failed a request' : 'a request failed for want of a file descriptor';
      log.event('error', 'request_failed', { ...request, error: message, outcome, stack }, what);
    },
    onTimeout(exchange, ms, end) {
      logTimeout(log, exchange, ms, undefined);
      end();
    },
  };
}

/**
 * @param stack where the request was, if that could be had
 * @param hasLeft whether nobody was left to be answered
 */
export function logTimeout(
  log: Logger,
  { head, isStarted }: Pick<Exchange, 'head' | 'isStarted'>,
  ms: number,
  stack: string | undefined,
  hasLeft = false,
): void {
  const outcome = hasLeft ? 'the client had gone' : isStarted ? 'the connection was cut' : 'answered 504';
  const fields = { method: head.method, path: head.path, ms, outcome, ...(stack === undefined ? {} : { stack }) };
  log.event('warn', 'request_timeout', fields, 'a request took too long');
}

/** For the classes in which a request that has begun costs more than a connection. @param begin takes those that may begin */
export function readAhead(settings: Settings, log: Logger, begin: Begin): ReadAhead {
  let toldAt = Number.NEGATIVE_INFINITY;
  return new ReadAhead(settings.bufferBody, begin, () => {
    const now = performance.now();
    if (now - toldAt < tellAgainMs) return;
    toldAt = now;
    const mebibytes = maxReadAheadBytes / 1024 / 1024;
    log.say('warn', { mebibytes }, 'request bodies take all the memory they may: more go to the app as they arrive');
  });
}
