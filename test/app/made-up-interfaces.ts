/** Two interfaces that tsgun does not have, one of each kind. */

import type { ConnectionInterface, RequestInterface } from '../../src/app/interface.ts';

/** `(path) => text` */
export const answers: RequestInterface<(path: string) => string> = {
  takes: '(path) => text.',
  alsoCalled: ['reply'],
  serves: 'requests',
  isDetected: false,
  load: async () => ({
    makeHandler: (app) => (exchange) => {
      const answer = (app as (path: string) => string)(exchange.head.path);
      exchange.send('200 OK', [['Content-Type', 'text/plain']], answer);
    },
  }),
};

/** `() => text`, written to each connection. */
export const greets: ConnectionInterface<() => string> = {
  takes: '() => text.',
  exportName: 'greet',
  serves: 'connections',
  load: async () => {
    const { TcpServer } = await import('../../src/app/tcp/tcp.ts');
    return {
      makeServer: (app, options) => new TcpServer((socket) => socket.end((app as () => string)()), options),
    };
  },
};
