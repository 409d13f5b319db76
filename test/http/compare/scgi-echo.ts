/**
 * Says what nginx saw. SCGI, so that no second HTTP parser stands between nginx and the verdict: a request is a netstring
 * of names and values, and then the body.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Echo } from '../judge.ts';

export async function openScgiEcho(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      answer(socket, received);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(socket: Socket, received: string): void {
  const [prefix, digits] = /^(\d+):/.exec(received) ?? [];
  if (prefix === undefined || digits === undefined) return;
  const end = prefix.length + Number(digits);
  if (received.length < end + 1) return;
  const words = received.slice(prefix.length, end).split('\0');
  const environ: Record<string, string> = {};
  for (let index = 0; index + 1 < words.length; index += 2) environ[words[index]!] = words[index + 1]!;
  const body = received.slice(end + 1);
  if (body.length < Number(environ.CONTENT_LENGTH)) return;
  const [method = '', target = ''] = (environ.REQUEST_LINE ?? '').split(' ');
  const echo: Echo = { method, target, body, environ };
  const text = Buffer.from(JSON.stringify(echo));
  socket.write(`Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`);
  socket.end(text);
}
