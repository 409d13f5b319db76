/** Apps of raw connections. Which one a new connection has is written in the file `app` of the working directory. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { tcp as echo } from '../../apps/echo.ts';
import { tcp as fib } from '../../apps/fib.ts';
import type { TcpApp } from '../../src/app/tcp/tcp.ts';

const apps: Record<string, TcpApp> = {
  fib,
  echo,
  bye: (socket) => void socket.end('bye\n'),
  'reads nothing': (socket) => void socket.write('begun'),
  'waits for its end': async (socket) => {
    socket.write('begun');
    await once(socket.resume(), 'close');
  },
  'never returns': (socket) => {
    socket.write('begun');
    return new Promise(() => {});
  },
  slow: async (socket) => {
    await once(socket.resume(), 'end');
    for (const word of 'abc') {
      await sleep(700);
      socket.write(word);
    }
  },
  late: async (socket) => {
    socket.setTimeout(30_000);
    await once(socket.resume(), 'end');
    await sleep(2000);
    socket.write('late');
  },
  threads: (socket, { signal }) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      if (text === 'throw')
        setImmediate(() => {
          throw new Error('escaped');
        });
      else if (text === 'block') for (;;);
      else if (text === 'asked to end?') socket.write(String(signal.aborted));
      else
        socket.write(`${text} ${threadId} ${[socket instanceof net.Socket, socket.remotePort, socket.remoteAddress]}`);
    });
  },
  /** A gigabyte, for who reads it; who writes is told how much went. */
  flood: (socket) => {
    let sent = 0;
    const more = () => {
      while (sent < 1e9) {
        sent += 65_536;
        if (!socket.write(Buffer.alloc(65_536))) return void socket.once('drain', more);
      }
    };
    more();
    socket.on('data', () => socket.end(`sent ${sent}`));
  },
};

export const tcp: TcpApp = (socket, context) => apps[readFileSync('app', 'utf8')]!(socket, context);
