/** Connections that begin with a PROXY header, to a server in this process. 127.0.0.2 is the proxy; others may send none. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer, type ServerSettings, type TcpApp } from 'tsgun';
import { describe, expect, it } from 'vitest';
import { onTestFinished } from '../../current.ts';
import { tlv, v2, withChecksum } from './made.ts';
import { askFrom, programs, startProxy } from './programs.ts';

const settings = { proxyProtocol: 'auto', proxyAllowFrom: ['127.0.0.2'], logLevel: 'fatal' } as const;
const header = withChecksum(0x11, Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0x16, 0x2e, 0x01, 0xbb]));
const line = 'PROXY TCP4 203.0.113.9 10.0.0.1 5678 443\r\n';
const get = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';

async function serve(app: unknown, more: ServerSettings = {}) {
  const server = createServer(app as never, { ...settings, ...more } as never);
  onTestFinished(() => server.close());
  const { port } = await server.listen();
  return async (localAddress: string, ...pieces: (string | Buffer)[]) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    return text(socket).catch((error: NodeJS.ErrnoException) => error.code ?? '');
  };
}

describe('an HTTP app', () => {
  const wsgi = (env: Record<string, unknown>, startResponse: (status: string, headers: []) => void) => {
    startResponse('200 OK', []);
    return [`${env.REMOTE_ADDR} ${env.REMOTE_PORT}`];
  };

  it('sees the client, by either version, in any cut', async () => {
    const ask = await serve(wsgi);
    for (const first of [header, Buffer.from(line)]) {
      const all = Buffer.concat([first, Buffer.from(get)]);
      for (const cut of [0, 1, 5, 12, first.length - 1, first.length, first.length + 3])
        expect(await ask('127.0.0.2', all.subarray(0, cut), all.subarray(cut))).toMatch(/203\.0\.113\.9 5678$/);
    }
    const bytes = [...line, ...get];
    expect(await ask('127.0.0.2', ...bytes)).toMatch(/203\.0\.113\.9 5678$/);
  });

  it('sees https where the proxy of an allowed peer has ended TLS', async () => {
    const scheme = (env: Record<string, unknown>, startResponse: (status: string, headers: []) => void) => {
      startResponse('200 OK', []);
      return [String(env['wsgi.url_scheme'])];
    };
    const ask = await serve(scheme, { http: ['h1', 'h2c'] });
    const plain = await serve(scheme);
    const addresses = Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0x16, 0x2e, 0x01, 0xbb]);
    const said = (flags: number, command?: number) =>
      v2(0x11, Buffer.concat([addresses, tlv(0x20, `${String.fromCharCode(flags)}\0\0\0\0`)]), command);
    for (const each of [ask, plain]) {
      expect(await each('127.0.0.2', said(1), get)).toMatch(/\r\n\r\nhttps$/);
      expect(await each('127.0.0.2', said(0), get)).toMatch(/\r\n\r\nhttp$/);
      // It speaks for itself.
      expect(await each('127.0.0.2', said(1, 0x20), get)).toMatch(/\r\n\r\nhttp$/);
      expect(await each('127.0.0.1', said(1), get)).toMatch(/^HTTP\/1\.1 400/);
    }
    const short = v2(0x11, Buffer.concat([addresses, tlv(0x20, '\x01')]));
    expect(await plain('127.0.0.2', short, get)).toMatch(/^HTTP\/1\.1 400 .*malformed TLS part/s);
  });

  it('sees the proxy where that speaks for itself', async () => {
    const ask = await serve(wsgi);
    expect(await ask('127.0.0.2', `PROXY UNKNOWN\r\n${get}`)).toMatch(/127\.0\.0\.2 \d+$/);
  });

  it('refuses a proxy without a header, with a bad one, or of another version', async () => {
    const ask = await serve(wsgi);
    expect(await ask('127.0.0.2', get)).toMatch(/^HTTP\/1\.1 400 .*no PROXY header/s);
    expect(await ask('127.0.0.2', `PROXY TCP4 a b c d\r\n${get}`)).toMatch(/^HTTP\/1\.1 400 .*malformed/s);
    const v1 = await serve(wsgi, { proxyProtocol: 'v1' });
    expect(await v1('127.0.0.2', header, get)).toMatch(/^HTTP\/1\.1 400 .*not of version 1/s);
  });

  it('refuses the header of any other peer, and serves that without', async () => {
    const ask = await serve(wsgi);
    expect(await ask('127.0.0.1', get)).toMatch(/127\.0\.0\.1 \d+$/);
    expect(await ask('127.0.0.1', `P`, `OST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200/,
    );
    for (const first of [header, Buffer.from(line)]) {
      expect(await ask('127.0.0.1', first, get)).toMatch(/^HTTP\/1\.1 400 .*may not send one/s);
      expect(await ask('127.0.0.1', first.subarray(0, 4), first.subarray(4), get)).toMatch(/^HTTP\/1\.1 400/);
    }
  });

  it('a second header is no header', async () => {
    const ask = await serve(wsgi);
    expect(await ask('127.0.0.2', line + line + get)).toMatch(/^HTTP\/1\.1 400/);
  });

  it('a header that does not come in time costs the connection', async () => {
    const ask = await serve(wsgi, { headerTimeout: 0.2 });
    expect(await ask('127.0.0.2', line.slice(0, 9))).toBe('');
  });

  it('a node app has the client in req.socket, a fetch app in its info', async () => {
    const node = await serve((req: { socket: Socket }, res: { end(text: string): void }) =>
      res.end(`${req.socket.remoteAddress} ${req.socket.remotePort}`),
    );
    expect(await node('127.0.0.2', header, get)).toMatch(/203\.0\.113\.9 5678/);
    const app = (_: Request, info: { remoteAddr: object }) => Response.json(info.remoteAddr);
    const fetch = await serve(app, { interface: 'fetch' });
    expect(await fetch('127.0.0.2', header, get)).toContain('"hostname":"203.0.113.9","port":5678');
  });
});

describe('a tcp app', () => {
  const greet: TcpApp = (socket) => {
    socket.write(`hello ${socket.remoteAddress} ${socket.remotePort}\n`);
    socket.on('data', (bytes) => {
      socket.write(bytes);
      if (bytes.toString('latin1').endsWith('.')) socket.end();
    });
  };

  it('sees the client, and what follows the header', async () => {
    const ask = await serve(greet, { interface: 'tcp' });
    expect(await ask('127.0.0.2', `${line}abc.`)).toBe('hello 203.0.113.9 5678\nabc.');
    expect(await ask('127.0.0.2', ...line, 'abc', 'd.')).toBe('hello 203.0.113.9 5678\nabcd.');
  });

  it('speaks first to peers that send no header, and a header of theirs cuts the connection', async () => {
    const ask = await serve(greet, { interface: 'tcp' });
    expect(await ask('127.0.0.1', 'Pabc.')).toMatch(/^hello 127\.0\.0\.1 \d+\nPabc\.$/);
    expect(await ask('127.0.0.1', line, 'abc.')).toMatch(/ECONNRESET|^hello 127\.0\.0\.1 \d+\n$/);
  });

  it('is not asked where the header is bad, missing or late', async () => {
    let calls = 0;
    const app: TcpApp = () => void calls++;
    const ask = await serve(app, { interface: 'tcp', headerTimeout: 0.2 });
    for (const pieces of [['GET / HTTP/1.1\r\n'], ['PROXY TCP4 a b c d\r\n'], [line.slice(0, 9)]])
      expect(await ask('127.0.0.2', ...pieces)).toMatch(/^(ECONNRESET)?$/);
    expect(calls).toBe(0);
  });
});

describe.each(Object.entries(programs))('%s', (_, program) => {
  const wsgi = (env: Record<string, unknown>, startResponse: (status: string, headers: []) => void) => {
    startResponse('200 OK', []);
    return [String(env.REMOTE_ADDR)];
  };
  const fetch = (_: Request, info: { remoteAddr: { hostname: string } }) => new Response(info.remoteAddr.hostname);
  const node = (req: { socket: Socket }, res: { end(text?: string): void }) => res.end(req.socket.remoteAddress);
  const tcp: TcpApp = (socket) => void socket.once('data', () => socket.end(`tcp\r\n\r\n${socket.remoteAddress}`));

  it.runIf(program.isHere)('names the client to apps of each interface', async () => {
    for (const [name, app] of Object.entries({ wsgi, fetch, node, tcp })) {
      const server = createServer(app as never, { ...settings, interface: name } as never);
      onTestFinished(() => server.close());
      const { port } = await server.listen();
      const through = await startProxy(program, port!, '127.0.0.2');
      expect(await askFrom('127.0.0.5', through, get), name).toMatch(/\r\n\r\n127\.0\.0\.5$/);
    }
  });
});
