/** Settings, which users write in seconds, to what the HTTP server takes. */

import type { Settings } from '../config/settings.ts';
import { report } from '../errors.ts';
import { ClientGone } from '../http/errors.ts';
import type { HttpServerOptions } from '../http/server.ts';
import type { Logger } from '../logger.ts';

export function httpOptions(settings: Settings, log: Logger): Omit<HttpServerOptions, 'handle'> {
  return {
    limits: {
      requestLineBytes: settings.limitRequestLine,
      fieldCount: settings.limitRequestFields,
      fieldBytes: settings.limitRequestFieldSize,
      bodyBytes: settings.limitRequestBody,
    },
    timeouts: {
      headerMs: settings.headerTimeout * 1000,
      bodyMs: settings.bodyTimeout * 1000,
      keepAliveMs: settings.keepAlive * 1000,
    },
    onFailure: ({ head, isStarted, isGone }, error) => {
      const { message, stack } = report(error);
      const request = { method: head.method, path: head.path };
      // What an app throws because its client has gone is no failure of the app.
      if (isGone && (error instanceof ClientGone || (error as Error)?.name === 'AbortError')) return;
      const outcome = isStarted ? 'the connection was cut' : 'answered 500';
      log.event('error', 'request_failed', { ...request, error: message, outcome, stack }, 'the app failed a request');
    },
  };
}
