/** Which interface an export speaks, and the handler that serves it. A new interface is one file and one line here. */

import { AppLoadError, describe } from '../errors.ts';
import type { EnvironOptions } from './env.ts';
import type { App } from './types.ts';
import { type Handler, wsgiHandler } from './wsgi.ts';

export type InterfaceName = 'wsgi' | 'tcp';

const handlers: Record<InterfaceName, (app: unknown, options: EnvironOptions) => Handler> = {
  wsgi: (app, options) => wsgiHandler(expectApp(app), options),
  // A raw connection brings no requests: `worker/tcp.ts` serves it.
  tcp: () => {
    throw new AppLoadError('interface: tcp does not run in the threaded class; take --worker-class async or sync');
  },
};

/** @throws AppLoadError when the export is not what the interface needs */
export function makeHandler(app: unknown, asked: InterfaceName | 'auto', options: EnvironOptions): Handler {
  return handlers[asked === 'auto' ? 'wsgi' : asked](app, options);
}

function expectApp(app: unknown): App {
  if (typeof app === 'function') return app as App;
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function (env, startResponse) => body`);
}
