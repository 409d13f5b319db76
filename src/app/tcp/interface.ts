/** Raw connections. */

import { AppLoadError, describe } from '../../errors.ts';
import type { ConnectionInterface } from '../interface.ts';
import type { TcpApp } from './tcp.ts';

export const tcpInterface: ConnectionInterface<TcpApp> = {
  takes: '(socket) => void, also taken for an export named tcp.',
  exportName: 'tcp',
  serves: 'connections',
  async load() {
    const [{ TcpServer }, { SecureTcpServer }] = await Promise.all([import('./tcp.ts'), import('./secure.ts')]);
    return {
      makeServer(app, options) {
        const { tls } = options;
        return tls === undefined
          ? new TcpServer(expectApp(app), options)
          : new SecureTcpServer(expectApp(app), options, tls);
      },
    };
  },
};

function expectApp(app: unknown): TcpApp {
  if (typeof app === 'function') return app as TcpApp;
  throw new AppLoadError(`app: the export is ${describe(app)}; expected a function (socket) => void`);
}
