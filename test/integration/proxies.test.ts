/** tsgun behind a proxy: what apps of each interface and class see of the client, and what the access log says. */

import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import express from 'express';
import { createServer } from 'tsgun';
import { describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { v2 } from '../http/proxy-protocol/made.ts';
import { askFrom, programs, startProxy } from '../http/proxy-protocol/programs.ts';
import { makeFolder, start } from './harness.ts';

const told = {
  'X-Forwarded-For': '127.0.0.1, 203.0.113.9:5678',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'shop.example',
  'X-Forwarded-Prefix': '/shop',
};
const believing = { clientAddress: 'x-forwarded-for', forwardedHost: true };

function ask(port: number, headers: Record<string, string> = told): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: '/p', headers, agent: false });
    asked
      .on('response', (response) => void text(response).then(resolve, reject))
      .on('error', reject)
      .end();
  });
}

/** From the address of a proxy. */
async function raw(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  socket.write(bytes);
  return text(socket);
}

describe.each(Object.keys(registry))('the %s class', (workerClass) => {
  it('tells the app and the access log of the client', async () => {
    const folder = makeFolder({
      'app.mjs': `export default (env, startResponse) => {
        startResponse('200 OK', []);
        return [['REMOTE_ADDR', 'REMOTE_PORT', 'wsgi.url_scheme', 'HTTP_HOST', 'SCRIPT_NAME', 'PATH_INFO']
          .map((name) => env[name]).join(' ')];
      };`,
    });
    const access = join(folder.path, 'access.log');
    const options = ['--client-address', 'x-forwarded-for', '--forwarded-host', '--access-logfile', access];
    const proxied = ['--proxy-protocol', 'auto', '--proxy-allow-from', '127.0.0.2'];
    const format = ['--access-logformat', '%(h)s %({wsgi.url_scheme}e)s'];
    const tsgun = start(join(folder.path, 'app.mjs'), ['-k', workerClass, ...options, ...proxied, ...format]);
    await tsgun.workers(1);
    const port = Number(new URL(await tsgun.url('/')).port);
    expect(await ask(port)).toBe('203.0.113.9 5678 https shop.example /shop /p');
    expect(await ask(port, { Host: 'h' })).toMatch(/^127\.0\.0\.1 \d+ http h {2}\/p$/);
    const header = v2(0x11, Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0, 80, 0, 80]));
    const get = Buffer.from('GET /p HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n');
    // Its client is not trusted with a scheme, although its proxy is on this machine.
    expect(await raw(port, Buffer.concat([header, get]))).toMatch(/\r\n\r\n203\.0\.113\.7 80 http h {2}\/p$/);
    const installed = Object.values(programs).filter(({ isHere }) => isHere);
    for (const program of installed) {
      const through = await startProxy(program, port, '127.0.0.2');
      expect(await askFrom('127.0.0.5', through, get.toString())).toMatch(/\r\n\r\n127\.0\.0\.5 \d+ https? h {2}\/p$/);
    }
    await tsgun.stop();
    const lines = ['203.0.113.9 https', '127.0.0.1 http', '203.0.113.7 http', ...installed.map(() => '127.0.0.5 http')];
    expect(await readFile(access, 'utf8')).toBe(lines.map((line) => `${line}\n`).join(''));
  });

  it('shows a node app the peer on its socket, so that `trust proxy` of Express decides', async () => {
    const folder = makeFolder({
      'app.mjs': 'export default (req, res) => res.end(req.socket.remoteAddress);',
    });
    const tsgun = start(join(folder.path, 'app.mjs'), ['-k', workerClass, '--client-address', 'x-forwarded-for']);
    await tsgun.workers(1);
    const port = Number(new URL(await tsgun.url('/')).port);
    expect(await ask(port)).toBe('127.0.0.1');
    await tsgun.stop();
  });
});

it('a fetch app has the client in its URL and its info, request by request', async () => {
  const app = (asked: Request, info: { remoteAddr: { hostname: string } }) =>
    new Response(`${asked.url} ${info.remoteAddr.hostname}`);
  await using server = createServer(app, { ...believing, interface: 'fetch' });
  const { port } = await server.listen();
  expect(await ask(port)).toBe('https://shop.example/p 203.0.113.9');
  // The same host again, by the other scheme.
  expect(await ask(port, { Host: 'shop.example' })).toBe('http://shop.example/p 127.0.0.1');
});

it('an Express app sees the peer, and its own `trust proxy` decides', async () => {
  const app = express();
  app.set('trust proxy', 'loopback');
  app.get('/p', (req, res) => void res.send(`${req.ip} ${req.protocol} ${req.hostname} ${req.socket.remoteAddress}`));
  await using server = createServer(app, { interface: 'node' });
  const { port } = await server.listen();
  const headers = { ...told, 'X-Forwarded-For': '203.0.113.9' };
  expect(await ask(port, headers)).toBe('203.0.113.9 https shop.example 127.0.0.1');
  app.set('trust proxy', false);
  expect(await ask(port, headers)).toBe('127.0.0.1 http 127.0.0.1 127.0.0.1');
});

it.each([
  ['nginx', 'names are not looked up: write the addresses'],
  ['10.0.0.*', 'write 10.0.0.0/24'],
  ['10.1.2.3/8', 'write 10.0.0.0/8, or 10.1.2.3 for this address alone'],
  ['10.0.0.0/33', 'a network with a prefix from 0 to 32'],
  ['10.0.0.0/255.0.0.0', 'write the mask as a number of bits'],
  ['127.0.0.1:80', 'write 127.0.0.1, without a port'],
  ['[::1]:80', 'write ::1'],
  ['unix:/run/a.sock', 'leave it out'],
  ['localhost', 'write 127.0.0.1,::1'],
])('forwardedAllowIps: %s is refused, and the error says what to write', (value, remedy) => {
  const make = () => createServer(() => new Response(), { interface: 'fetch', forwardedAllowIps: [value] });
  expect(make).toThrow('forwardedAllowIps');
  expect(make).toThrow(JSON.stringify(value));
  expect(make).toThrow(remedy);
});
