/** What the tests of listening sockets share: a service in a folder of its own, and ways to reach it. */

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { bindHandle, bindPath } from '../../src/node/bind.ts';
import { onTestFinished } from '../current.ts';
import { makeFolder, type StartOptions, Tsgun } from './harness.ts';

const app = `
import { existsSync } from 'node:fs'
export default async (env, startResponse) => {
  const isSlow = env.PATH_INFO === '/slow'
  if (isSlow) console.log('parked')
  while (isSlow && !existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20))
  startResponse('200 OK', [])
  const { REMOTE_ADDR, REMOTE_PORT, SERVER_NAME, SERVER_PORT } = env
  if (env.PATH_INFO === '/env') return [JSON.stringify({ REMOTE_ADDR, REMOTE_PORT, SERVER_NAME, SERVER_PORT })]
  if (env.PATH_INFO === '/left') return [JSON.stringify(Object.keys(process.env).filter((name) => /^LISTEN_|^TSGUN_/.test(name)))]
  return ['hello']
}`;

/** A folder with the app, and how to start it there. */
export function makeService(files: Record<string, string> = {}) {
  const folder = makeFolder({ 'app.mjs': app, ...files });
  const run = (args: string[], options: StartOptions = {}) =>
    new Tsgun(['app.mjs', ...args], { cwd: folder.path, ...options });
  return { ...folder, run, at: (name: string) => join(folder.path, name) };
}

/** One request on a connection of its own, over a unix socket. */
export function getAt(socketPath: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

export async function connectCode(path: string): Promise<string> {
  const socket = connect(path);
  const code = await Promise.race([
    once(socket, 'connect').then(() => 'connected'),
    new Promise<string>((resolve) => socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!))),
  ]);
  socket.destroy();
  return code;
}

/** On a connection of its own. */
export async function getUrl(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return response.text();
}

/** A socket that is bound here and listened on by whoever inherits it. */
export function tcpSocket(): number {
  const handle = bindHandle('127.0.0.1', 0, 4);
  if (typeof handle === 'number') throw new Error(`cannot bind: ${handle}`);
  onTestFinished(() => handle.close());
  return handle.fd;
}

export function unixSocket(path: string): number {
  const bound = bindPath(path);
  if (typeof bound === 'number') throw new Error(`cannot bind: ${bound}`);
  onTestFinished(() => bound.close());
  return bound.fd;
}
