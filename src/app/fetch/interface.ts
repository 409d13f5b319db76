/** As on edge runtimes (WinterTC). */

import { AppLoadError, describe } from '../../errors.ts';
import type { RequestInterface } from '../interface.ts';
import type { Fetch } from './fetch.ts';

/** A function, or an object whose `fetch` is that function, as in Hono, h3 and itty-router. */
export type FetchApp = FetchHandler | { fetch: FetchHandler };
/** Written as a method, so that an app may declare more specific parameters: Hono's `c.env` has the app's own type. */
export type FetchHandler = { handle(request: Request, ...rest: never[]): Response | PromiseLike<Response> }['handle'];

export const fetchInterface: RequestInterface<FetchApp> = {
  takes: '(request) => Response, or an object with such a fetch method.',
  alsoCalled: ['asgi', 'hono'],
  serves: 'requests',
  isDetected: true,
  async load() {
    const { fetchHandler } = await import('./fetch.ts');
    return { makeHandler: (app, options) => fetchHandler(expectFetch(app), options) };
  },
};

function expectFetch(app: unknown): Fetch | { fetch: Fetch } {
  if (typeof app === 'function' && !('fetch' in app)) return app as Fetch;
  const fetch = app === undefined || app === null ? undefined : Reflect.get(Object(app), 'fetch');
  if (typeof fetch === 'function') return app as { fetch: Fetch };
  throw new AppLoadError(`app: the export is ${describe(app)}; expected { fetch(request) } or (request) => Response`);
}
