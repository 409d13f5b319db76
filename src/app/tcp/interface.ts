/** Raw connections. */

import { AppLoadError, describe } from '../../errors.ts';
import type { ConnectionInterface } from '../interface.ts';
import type { TcpApp } from './tcp.ts';

export const tcpInterface: ConnectionInterface<TcpApp> = {
  takes: '(socket) => void, also taken for an export named tcp; not in the threaded class.',
  exportName: 'tcp',
  serves: 'connections',
  async load() {
    const { TcpServer } = await import('./tcp.ts');
    return { makeServer: (app, options) => new TcpServer(expectApp(app), options) };
  },
};

function expectApp(app: unknown): TcpApp {
  if (typeof app === 'function') return app as TcpApp;
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function (socket) => void`);
}
