/** TLS of a server in this process: who gets which certificate, who is let in, and what apps see of it. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, connect as connectPlain, createServer as createPlainServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createServer, type ServerSettings } from 'tsgun';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { onTestFinished } from '../../current.ts';
import { eventually, makeFolder } from '../../integration/harness.ts';
import { v2 } from '../proxy-protocol/made.ts';
import { certificateFor, signedBy } from './certificates.ts';

const local = certificateFor(['localhost', '127.0.0.1']);
const shop = certificateFor(['shop.example', '*.shop.example']);
const authority = certificateFor(['authority']);
const client = signedBy(authority, 'authority', 'Alice');
const stranger = certificateFor(['Alice']);

const shared = {
  'local.crt': local.cert,
  'local.key': local.key,
  'shop.crt': shop.cert,
  'shop.key': shop.key,
  'ca.crt': authority.cert,
  'empty.crt': '',
  'encrypted.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
};
const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
for (const [name, text] of Object.entries(shared)) writeFileSync(join(folder, name), text);
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const one: ServerSettings = { certfile: file('local.crt'), keyfile: file('local.key'), logLevel: 'fatal' };

const wsgi = (env: Record<string, unknown>, startResponse: (status: string, headers: []) => void) => {
  startResponse('200 OK', []);
  const shown = Object.entries(env).filter(([key]) => /^(SSL_|HTTPS|REMOTE_ADDR|wsgi.url_scheme)/.test(key));
  return [JSON.stringify(Object.fromEntries(shown))];
};

async function serve(more: ServerSettings = {}, app: unknown = wsgi): Promise<number> {
  const server = createServer(app as never, { ...one, ...more } as never);
  onTestFinished(() => server.close());
  const { port, url } = await server.listen();
  expect(url).toBe(`${more.interface === 'tcp' ? 'tcp' : 'https'}://127.0.0.1:${port}`);
  return port;
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

async function ask(port: number, options: ConnectionOptions = {}): Promise<Record<string, string>> {
  const socket = await open(port, options);
  socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

const shownTo = async (port: number, servername?: string) => {
  const socket = await open(port, servername === undefined ? {} : { servername });
  const { subjectaltname } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
};

/** What a client of TLS sends first. */
async function capturedHello(): Promise<Buffer> {
  const listener = createPlainServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' });
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  const [socket] = (await once(listener, 'connection')) as [Socket];
  onTestFinished(() => void socket.destroy());
  const [hello] = (await once(socket, 'data')) as [Buffer];
  return hello;
}

/** Whatever comes from a socket that is refused, or closed. */
const end = (socket: NodeJS.ReadableStream) => text(socket).catch((error: NodeJS.ErrnoException) => error.code ?? '');

describe('an HTTPS server', () => {
  it('tells apps of the scheme, the protocol and the cipher', async () => {
    const env = await ask(await serve(), { servername: 'localhost' });
    expect(env).toMatchObject({ 'wsgi.url_scheme': 'https', HTTPS: 'on', SSL_PROTOCOL: 'TLSv1.3' });
    expect(env).toMatchObject({ SSL_TLS_SNI: 'localhost', REMOTE_ADDR: '127.0.0.1' });
    expect(env.SSL_CIPHER).toMatch(/^TLS_/);
    expect(env).not.toHaveProperty('SSL_CLIENT_VERIFY');
  });

  it('has https in the URL of a fetch app, and is encrypted to a node app', async () => {
    const fetchPort = await serve({ interface: 'fetch' }, (asked: Request) => Response.json({ url: asked.url }));
    expect(await ask(fetchPort)).toEqual({ url: 'https://h/' });
    const node = (req: { socket: TLSSocket }, res: { end(text: string): void }) =>
      res.end(JSON.stringify({ encrypted: req.socket.encrypted, protocol: req.socket.getProtocol() }));
    expect(await ask(await serve({ interface: 'node' }, node))).toEqual({ encrypted: true, protocol: 'TLSv1.3' });
  });

  it('serves many requests and large bodies both ways on one connection', async () => {
    const echo = (req: NodeJS.ReadableStream, res: NodeJS.WritableStream) => void req.pipe(res);
    const port = await serve({ interface: 'node' }, echo);
    const body = Buffer.alloc(3_000_000, 'abcdefgh');
    for (let time = 0; time < 3; time++) {
      const asked = request({ port, host: '127.0.0.1', method: 'POST', rejectUnauthorized: false });
      asked.end(body);
      const [response] = await once(asked, 'response');
      expect((await text(response)).length).toBe(body.length);
    }
  });

  it('speaks TLS 1.2 and 1.3, and nothing older; with tlsMin 1.3 only that', async () => {
    const port = await serve();
    expect((await ask(port, { maxVersion: 'TLSv1.2' })).SSL_PROTOCOL).toBe('TLSv1.2');
    const old = connect({
      port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    expect(error.code).toMatch(/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE/);
    const strict = await serve({ tlsMin: '1.3' });
    const refused = connect({ port: strict, host: '127.0.0.1', maxVersion: 'TLSv1.2' });
    expect((await once(refused, 'error'))[0].code).toMatch(/ALERT_PROTOCOL_VERSION/);
  });

  it('uses the ciphers that are set', async () => {
    const port = await serve({ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    expect((await ask(port, { maxVersion: 'TLSv1.2' })).SSL_CIPHER).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
  });

  it('chooses the certificate by SNI, wildcards included; the first for all others', async () => {
    const port = await serve({
      certfile: [file('local.crt'), file('shop.crt')],
      keyfile: [file('local.key'), file('shop.key')],
    });
    expect(await shownTo(port)).toContain('localhost');
    expect(await shownTo(port, 'shop.example')).toContain('shop.example');
    expect(await shownTo(port, 'www.shop.example')).toContain('shop.example');
    expect(await shownTo(port, 'a.b.shop.example')).toContain('localhost');
    expect(await shownTo(port, 'other.example')).toContain('localhost');
  });

  it('resumes sessions', async () => {
    const port = await serve();
    const first = await open(port, { maxVersion: 'TLSv1.2' });
    const session = first.getSession()!;
    first.destroy();
    const second = await open(port, { session, maxVersion: 'TLSv1.2' });
    expect(second.isSessionReused()).toBe(true);
  });

  it('answers plain HTTP with a 400 that says what is wrong, and other bytes with nothing', async () => {
    const port = await serve();
    const plain = connectPlain({ port, host: '127.0.0.1' });
    plain.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await end(plain)).toMatch(/^HTTP\/1\.1 400 .*ask for https:/s);
    const other = connectPlain({ port, host: '127.0.0.1' });
    other.write('\x00\x01\x02');
    expect(await end(other)).toMatch(/^(ECONNRESET)?$/);
    const broken = connectPlain({ port, host: '127.0.0.1' });
    broken.write('\x16\x03\x01\x00\x05hello');
    expect(await end(broken)).not.toContain('HTTP');
  });

  it('closes clients that do not finish their handshake in time, and serves others meanwhile', async () => {
    const port = await serve({ headerTimeout: 0.5 });
    const silent = Array.from({ length: 50 }, () => connectPlain({ port, host: '127.0.0.1' }));
    for (const socket of silent.slice(25)) socket.write('\x16\x03\x01\x02\x00');
    expect(await ask(port)).toMatchObject({ HTTPS: 'on' });
    for (const socket of silent) await end(socket);
  });

  it('frees the connection of a client that leaves amid its handshake, or amid answers, at any moment', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    let begun = 0;
    const app = (_: unknown, response: ServerResponse) => void response.end(Buffer.alloc(3_000_000), () => begun++);
    const port = await serve({ interface: 'node', bodyTimeout: 0, headerTimeout: 0 }, app);
    const leave = async (index: number) => {
      const below = connectPlain({ port, host: '127.0.0.1', allowHalfOpen: true });
      below.on('error', () => {});
      const socket = connect({ socket: below, rejectUnauthorized: false });
      socket.on('error', () => {});
      // It reads nothing: the kernel takes the first answer, and the second one fails.
      socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(2));
      // On a slow machine, all others may have left before an answer.
      if (index === 23) await eventually(() => begun > 0);
      else await sleep(index * 6);
      if (index % 2 === 0) below.resetAndDestroy();
      else socket.destroy();
    };
    await Promise.all(Array.from({ length: 24 }, (_, index) => leave(index)));
    await eventually(() => sockets() <= before);
    expect(begun).toBeGreaterThan(0);
  });

  it('cuts none of many half-open clients for others, as long as their hello is not whole', async () => {
    const port = await serve();
    const started = await capturedHello();
    const halfOpen = await Promise.all(
      Array.from({ length: 1100 }, async (_, index) => {
        const socket = connectPlain({ port, host: '127.0.0.1' });
        onTestFinished(() => void socket.destroy());
        await once(socket, 'connect');
        socket.write(index % 2 === 0 ? started.subarray(0, 5) : started.subarray(0, -1));
        return socket;
      }),
    );
    expect(await ask(port)).toMatchObject({ HTTPS: 'on' });
    expect(halfOpen.map(({ readyState }) => readyState).filter((state) => state !== 'open')).toEqual([]);
    // The rest of a hello goes on where it was.
    const [first] = halfOpen;
    first!.write(started.subarray(5));
    const [answer] = (await once(first!, 'data')) as [Buffer];
    expect(answer[0]).toBe(0x16);
  });

  it('takes the PROXY header ahead of TLS, from peers that may send it only', async () => {
    const port = await serve({ proxyProtocol: 'v2', proxyAllowFrom: ['127.0.0.2'] });
    const header = v2(0x11, Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0, 80, 1, 187]));
    const raw = connectPlain({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    raw.write(header);
    expect(await ask(port, { socket: raw })).toMatchObject({ REMOTE_ADDR: '203.0.113.9', HTTPS: 'on' });
    expect(await ask(port)).toMatchObject({ REMOTE_ADDR: '127.0.0.1' });
    const foreign = connectPlain({ port, host: '127.0.0.1' });
    foreign.write(header);
    expect(await end(foreign)).toMatch(/^(ECONNRESET)?$/);
    const missing = connectPlain({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    missing.write('\x16\x03\x01\x00\x05hello');
    expect(await end(missing)).toMatch(/^(ECONNRESET)?$/);
  });
});

describe('a tcp app over TLS', () => {
  const app = async (socket: TLSSocket) => {
    let all = '';
    socket.on('data', (bytes) => {
      all += bytes;
    });
    await once(socket, 'end');
    socket.end(`${socket.getProtocol()} ${socket.remoteAddress} ${all}`);
  };
  const say = (socket: TLSSocket) => {
    socket.end('hello');
    return text(socket);
  };

  it('has a TLS socket, also of a client that offers a protocol or closes its half', async () => {
    const port = await serve({ interface: 'tcp' }, app);
    expect(await say(await open(port, { ALPNProtocols: ['h2'], allowHalfOpen: true } as ConnectionOptions))).toBe(
      'TLSv1.3 127.0.0.1 hello',
    );
  });

  it('has the client of the PROXY header ahead of TLS', async () => {
    const port = await serve({ interface: 'tcp', proxyProtocol: 'v2' }, app);
    const raw = connectPlain({ port, host: '127.0.0.1', allowHalfOpen: true });
    raw.write(v2(0x11, Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0, 80, 1, 187])));
    expect(await say(await open(port, { socket: raw, allowHalfOpen: true } as ConnectionOptions))).toBe(
      'TLSv1.3 203.0.113.9 hello',
    );
  });

  it('is not told of who speaks no TLS', async () => {
    const port = await serve({ interface: 'tcp' }, app);
    const plain = connectPlain({ port, host: '127.0.0.1' });
    plain.write('GET / HTTP/1.1\r\n\r\n');
    expect(await end(plain)).toMatch(/^(ECONNRESET)?$/);
  });
});

describe("clients' certificates", () => {
  const mutual: ServerSettings = { caCerts: file('ca.crt') };
  const refusal = async (port: number, options: ConnectionOptions) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    return end(socket);
  };

  it('are required: only good ones are let in, and the app has them', async () => {
    const port = await serve({ ...mutual, certReqs: 'required' });
    const env = await ask(port, client);
    expect(env).toMatchObject({
      SSL_CLIENT_VERIFY: 'SUCCESS',
      SSL_CLIENT_S_DN: 'CN=Alice',
      SSL_CLIENT_S_DN_CN: 'Alice',
    });
    expect(env.SSL_CLIENT_I_DN).toBe('CN=authority');
    expect(new X509Certificate(env.SSL_CLIENT_CERT!).serialNumber).toBe(env.SSL_CLIENT_M_SERIAL);
    expect(await refusal(port, {})).not.toContain('HTTP');
    expect(await refusal(port, stranger)).not.toContain('HTTP');
    expect(await refusal(port, { maxVersion: 'TLSv1.2' })).not.toContain('HTTP');
    expect(await refusal(port, { ...stranger, maxVersion: 'TLSv1.2' })).not.toContain('HTTP');
    const expired = signedBy(authority, 'authority', 'Bob', -1);
    expect(await refusal(port, expired)).not.toContain('HTTP');
  });

  it('are optional: none is let in, a bad one is not', async () => {
    const port = await serve({ ...mutual, certReqs: 'optional' });
    expect(await ask(port)).toMatchObject({ SSL_CLIENT_VERIFY: 'NONE' });
    expect(await ask(port, client)).toMatchObject({ SSL_CLIENT_VERIFY: 'SUCCESS' });
    expect(await refusal(port, stranger)).not.toContain('HTTP');
  });

  it('are in req.socket of a node app', async () => {
    const app = (req: { socket: TLSSocket }, res: { end(text: string): void }) => {
      const { authorized } = req.socket;
      res.end(JSON.stringify({ authorized, name: req.socket.getPeerCertificate().subject?.CN ?? 'none' }));
    };
    const port = await serve({ ...mutual, certReqs: 'optional', interface: 'node' }, app);
    expect(await ask(port, client)).toEqual({ authorized: true, name: 'Alice' });
    expect(await ask(port)).toEqual({ authorized: false, name: 'none' });
  });

  it('cannot be forged by fields', async () => {
    const port = await serve({ ...mutual, certReqs: 'optional' });
    const socket = await open(port);
    socket.write(
      'GET / HTTP/1.1\r\nHost: h\r\nSSL_CLIENT_VERIFY: SUCCESS\r\nSSL-Client-Verify: SUCCESS\r\nConnection: close\r\n\r\n',
    );
    expect(await text(socket)).toContain('"SSL_CLIENT_VERIFY":"NONE"');
  });
});

describe('renewal', () => {
  it.each(['by renaming', 'by another link'])(
    '%s: new connections get the new certificate, open ones go on',
    async (how) => {
      const [old, renewed] = [certificateFor(['old.example']), certificateFor(['new.example'])];
      const live = makeFolder({
        'a.crt': old.cert,
        'a.key': old.key,
        'b.crt': renewed.cert,
        'b.key': renewed.key,
      }).path;
      const at = (name: string) => join(live, name);
      for (const end of ['crt', 'key']) symlinkSync(at(`a.${end}`), at(`live.${end}`));
      const port = await serve({ certfile: at('live.crt'), keyfile: at('live.key') });
      const kept = await open(port);
      expect(await shownTo(port)).toContain('old.example');
      for (const end of ['crt', 'key']) {
        if (how === 'by another link') symlinkSync(at(`b.${end}`), at(`next.${end}`));
        else writeFileSync(at(`next.${end}`), readFileSync(at(`b.${end}`)));
        renameSync(at(`next.${end}`), at(`live.${end}`));
      }
      await eventually(async () => (await shownTo(port))?.includes('new.example') === true);
      kept.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      expect(await text(kept)).toMatch(/^HTTP\/1\.1 200/);
    },
  );

  it('with a broken pair changes nothing, and is logged', async () => {
    const [old, renewed] = [certificateFor(['old.example']), certificateFor(['new.example'])];
    const live = makeFolder({ 'live.crt': old.cert, 'live.key': old.key, 'error.log': '' }).path;
    const at = (name: string) => join(live, name);
    const logged = { errorLogfile: at('error.log'), logLevel: 'info', logFormat: 'json' } as const;
    const port = await serve({ certfile: at('live.crt'), keyfile: at('live.key'), ...logged });
    const log = () => readFileSync(at('error.log'), 'utf8');
    expect(log()).toMatch(/"event":"certificate_loaded".*"daysLeft":(29|30)/);
    writeFileSync(at('live.crt'), renewed.cert);
    await eventually(() => log().includes('certificate_failed'));
    expect(log()).toContain('is not the key of the certificate');
    expect(log()).not.toContain('PRIVATE KEY');
    expect(await shownTo(port)).toContain('old.example');
    const expired = certificateFor(['late.example'], -1);
    writeFileSync(at('live.key'), expired.key);
    writeFileSync(at('live.crt'), expired.cert);
    await eventually(() => log().includes('has expired'));
    expect(await shownTo(port)).toContain('old.example');
    writeFileSync(at('live.crt'), renewed.cert);
    writeFileSync(at('live.key'), renewed.key);
    await eventually(async () => (await shownTo(port))?.includes('new.example') === true);
  });
});

it('with devTls a certificate for this machine is made, and kept', async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const options = { certfile: [], keyfile: [], devTls: true };
  const fingerprint = async () => {
    const ca = readFileSync(join(folder, 'tsgun/dev-tls/localhost.crt'));
    const socket = await open(port, { ca, rejectUnauthorized: true, servername: 'localhost' });
    expect(socket.authorized).toBe(true);
    return socket.getPeerCertificate().fingerprint256;
  };
  let port = await serve(options);
  const first = await fingerprint();
  expect(statSync(join(folder, 'tsgun/dev-tls/localhost.key')).mode & 0o777).toBe(0o600);
  port = await serve(options);
  expect(await fingerprint()).toBe(first);
});

describe('a start is refused', () => {
  it.each<[string, ServerSettings, string]>([
    ['a certificate is missing', { certfile: '/nowhere.crt' }, 'certfile: /nowhere.crt: there is no such file'],
    ['a certificate is none', { certfile: file('empty.crt') }, 'expected certificates in PEM form'],
    ['a key is none', { keyfile: file('local.crt') }, 'expected a private key in PEM form'],
    ['a key is of another certificate', { keyfile: file('shop.key') }, 'is not the key of the certificate in'],
    ['a key is encrypted', { keyfile: file('encrypted.key') }, 'give its password with keyfilePassword'],
    [
      'a password is wrong',
      { keyfile: file('encrypted.key'), keyfilePassword: 'x' },
      'keyfilePassword: it does not open',
    ],
    ['a key is left out', { keyfile: [] }, 'keyfile: expected one for each certfile'],
    [
      'an address needs a certificate',
      { bind: 'https://127.0.0.1:0', certfile: [], keyfile: [] },
      'needs a certificate',
    ],
    ['nobody may sign', { certReqs: 'required' }, 'certReqs: required needs caCerts'],
    ['ciphers are none', { ciphers: 'NONSENSE' }, 'ciphers: NONSENSE'],
  ])('if %s', async (_, settings, message) => {
    const start = async () => {
      const server = createServer(wsgi as never, { ...one, ...settings } as never);
      onTestFinished(() => server.close());
      await server.listen();
    };
    await expect(start()).rejects.toThrow(message);
  });
});
