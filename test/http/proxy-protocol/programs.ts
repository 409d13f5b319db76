/** Real proxies that send the PROXY header, where they are installed. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from '../../current.ts';
import { makeFolder } from '../../integration/harness.ts';
import { freePort } from '../../ports.ts';

interface Where {
  /** Where it listens. */
  readonly port: number;
  readonly to: number;
  /** Its own address, towards the server. */
  readonly source: string;
  readonly path: string;
}

interface Program {
  readonly isHere: boolean;
  readonly file: string;
  configuration(where: Where): string;
  command(file: string): string[];
}

const has = (program: string) => spawnSync(program, ['-v']).error === undefined;
/** A package of its own in Debian. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

const haproxy = (option: string): Program => ({
  isHere: has('haproxy'),
  file: 'haproxy.cfg',
  configuration: ({ port, to, source }) => `defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  source ${source}
  server s 127.0.0.1:${to} ${option}
`,
  command: (file) => ['haproxy', '-db', '-f', file],
});

export const programs: Readonly<Record<string, Program>> = {
  'HAProxy with send-proxy': haproxy('send-proxy'),
  'HAProxy with send-proxy-v2': haproxy('send-proxy-v2'),
  'HAProxy with send-proxy-v2, a checksum and an id': haproxy('send-proxy-v2 proxy-v2-options crc32c,unique-id'),
  'nginx with proxy_protocol': {
    isHere: has('nginx') && existsSync(streamModule),
    file: 'nginx.conf',
    configuration: ({ port, to, source, path }) => `load_module ${streamModule};
daemon off;
pid ${path}/nginx.pid;
error_log ${path}/nginx.log;
events {}
stream {
  server {
    listen 127.0.0.1:${port};
    proxy_bind ${source};
    proxy_pass 127.0.0.1:${to};
    proxy_protocol on;
  }
}
`,
    command: (file) => ['nginx', '-c', file],
  },
};

/** @returns the port of a proxy, as soon as it listens */
export async function startProxy(
  { file, configuration, command }: Program,
  to: number,
  source: string,
): Promise<number> {
  const port = await freePort();
  const { path, write } = makeFolder({});
  write(file, configuration({ port, to, source, path }));
  const [program, ...args] = command(`${path}/${file}`);
  const child = spawn(program!, args, { stdio: 'ignore' });
  // Its worker ends with it.
  onTestFinished(() => void child.kill('SIGTERM'));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} has ended with ${child.exitCode}`);
    const socket = connect({ port, host: '127.0.0.1' });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return port;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks from an address of its own. */
export async function askFrom(localAddress: string, port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(bytes);
  return text(socket);
}
