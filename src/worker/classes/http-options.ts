/** Translates settings, which users write in seconds, to the HTTP server's options. */

import type { RawServerOptions } from '../../app/interface.ts';
import { milliseconds } from '../../config/durations.ts';
import type { Settings } from '../../config/settings.ts';
import { report } from '../../errors.ts';
import { Forwarding } from '../../http/forwarding/forwarding.ts';
import { Trusted } from '../../http/forwarding/trust.ts';
import { HeldAnswers } from '../../http/held-answers.ts';
import { defaultTimeouts, maxHeldAnswersBytes, maxReadAheadBytes } from '../../http/limits.ts';
import { ProxyProtocol } from '../../http/proxy-protocol/proxied.ts';
import { type Begin, ReadAhead } from '../../http/read-ahead.ts';
import type { HttpServerOptions } from '../../http/server-options.ts';
import type { RunningRequest } from '../../ipc/messages.ts';
import type { Shortages } from '../../ipc/shortages.ts';
import type { Logger } from '../../logger.ts';
import { logFailure, logLateFailure, logTimeout, type OnError } from './failures.ts';
import { RepeatedWarning } from './repeated-warning.ts';

/**
 * @param shortages is told if the app fails for lack of a descriptor; without a master there is none
 * @param onError is called with the app's failures
 * @param running what the worker has running
 */
export function httpOptions(
  settings: Settings,
  log: Logger,
  shortages?: Shortages,
  onError?: OnError,
  running?: () => readonly RunningRequest[],
): Omit<HttpServerOptions, 'handle'> {
  return {
    limits: {
      requestLineBytes: settings.limitRequestLine,
      // As in gunicorn.
      fieldCount: settings.limitRequestFields || 32_768,
      fieldBytes: settings.limitRequestFieldSize,
      bodyBytes: settings.limitRequestBody,
    },
    timeouts: {
      headerMs: milliseconds(settings.headerTimeout),
      bodyMs: milliseconds(settings.bodyTimeout),
      keepAliveMs: milliseconds(settings.keepAlive),
      requestMs: milliseconds(settings.requestTimeout),
    },
    requestIdHeader: settings.requestIdHeader,
    forwarding: new Forwarding({
      allowFrom: settings.forwardedAllowIps,
      clientAddress: settings.clientAddress,
      host: settings.forwardedHost,
      strips: settings.forwardedStrip,
    }),
    proxyProtocol: proxyProtocol(settings, log),
    http2: http2(settings, log),
    onFailure(exchange, error, isLate) {
      if (isLate === true) logLateFailure(log, { ...exchange.head, requestId: exchange.requestId }, report(error));
      else logFailure(log, exchange, error, shortages, onError);
    },
    onTimeout(exchange, ms, end) {
      logTimeout(log, exchange, ms, { requests: running?.() });
      end();
    },
  };
}

function http2({ http, forwardedAllowIps }: Settings, log: Logger): HttpServerOptions['http2'] {
  const warning = new RepeatedWarning(
    log,
    'an HTTP/2 connection was ended: it did too much of what costs a client nothing',
  );
  return {
    withHttp1: http.includes('h1'),
    knowing: http.includes('h2c') ? new Trusted(forwardedAllowIps) : undefined,
    onFlood: (peer, of) => warning.say({ peer, of }),
  };
}

/** @returns undefined if no PROXY header is expected */
export function proxyProtocol(settings: Settings, log: Logger): ProxyProtocol | undefined {
  if (settings.proxyProtocol === 'off') return undefined;
  const warning = new RepeatedWarning(log, 'a connection was refused for its PROXY header');
  return new ProxyProtocol({
    version: settings.proxyProtocol,
    allowFrom: settings.proxyAllowFrom,
    onRefused: (peer, error) => warning.say({ peer, error }),
  });
}

/** For servers of raw connections. Reading the PROXY header always has a time limit, even if request heads have none. */
export function proxied(settings: Settings, log: Logger): RawServerOptions['proxied'] {
  const protocol = proxyProtocol(settings, log);
  const headerMs = milliseconds(settings.headerTimeout) || defaultTimeouts.headerMs;
  return protocol && { protocol, headerMs };
}

/** Answers that are held for slow clients, shared by all servers of the worker. For classes in which a waiting app holds up others. */
export function heldAnswers(): HeldAnswers {
  return new HeldAnswers(maxHeldAnswersBytes);
}

/** For classes in which a running request costs more than a connection. @param begin runs the requests that may begin */
export function readAhead(settings: Settings, log: Logger, begin: Begin): ReadAhead {
  const warning = new RepeatedWarning(
    log,
    'request bodies take all the memory they may: more go to the app as they arrive',
  );
  const mebibytes = maxReadAheadBytes / 1024 / 1024;
  return new ReadAhead(settings.bufferBody, begin, () => warning.say({ mebibytes }));
}
