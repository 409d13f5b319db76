/** The standard interface: PEP 3333 for TypeScript. */

import { AppLoadError, describe } from '../../errors.ts';
import type { RequestInterface } from '../interface.ts';
import type { App } from '../types.ts';

export const wsgiInterface: RequestInterface<App> = {
  takes: '(env, startResponse) => body.',
  serves: 'requests',
  isDetected: true,
  async load() {
    const { wsgiHandler } = await import('./wsgi.ts');
    return { makeHandler: (app, options) => wsgiHandler(expectApp(app), options) };
  },
};

function expectApp(app: unknown): App {
  if (typeof app === 'function') return app as App;
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function (env, startResponse) => body`);
}
