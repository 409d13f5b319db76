/** What is said of apps whose clients fail over several workers or threads. */

import { createServer, type Server } from 'node:http';
import { type ServerOptions, Server as SocketServer } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { warnOfSeveral } from '../../../src/app/node/several.ts';
import type { Exchange } from '../../../src/http/exchange.ts';

function ask(server: Server, { multithread = false, multiprocess = false, polls = ['EIO=4&transport=polling&sid=a'] }) {
  const warnings: string[] = [];
  const handled: string[] = [];
  const handle = warnOfSeveral((exchange) => void handled.push(exchange.head.query), server, {
    multithread,
    multiprocess,
    onErrorLine: () => {},
    onWarning: (warning) => warnings.push(warning),
  });
  for (const query of polls) void handle({ head: { query } } as Exchange);
  expect(handled).toEqual(polls);
  return warnings;
}

function socketIo(options: Partial<ServerOptions> = {}): Server {
  const server = createServer(() => {});
  new SocketServer(server, options);
  return server;
}

describe('an app of Socket.IO whose clients use long polling', () => {
  const warning = expect.stringMatching(/^app: a client of Socket\.IO .*transports: \['websocket'\]/);

  it.each<[name: string, options: Partial<ServerOptions>]>([
    ['', {}],
    [' (without the files for clients)', { serveClient: false }],
    [' (with nothing else)', { transports: ['polling'] }],
    [' (with nothing else, and without the files for clients)', { transports: ['polling'], serveClient: false }],
  ])('is warned of over several workers, once%s', (_, options) => {
    const polls = ['EIO=4&transport=polling&sid=a', 'EIO=4&transport=polling&sid=b'];
    expect(ask(socketIo(options), { multiprocess: true, polls })).toEqual([warning]);
  });

  it('is not warned of with one worker', () => {
    expect(ask(socketIo(), {})).toEqual([]);
  });

  it.each(['', 'EIO=4&transport=websocket&sid=a', 'EIO=4&transport=polling'])(
    'is not warned of where it may be that no session has begun with it: %s',
    (query) => {
      expect(ask(socketIo(), { multiprocess: true, polls: [query] })).toEqual([]);
    },
  );

  it('is told from other apps', () => {
    expect(
      ask(
        createServer(() => {}),
        { multiprocess: true },
      ),
    ).toEqual([]);
  });
});
