/** Whom the server believes about the scheme, the client and the host, asked through the whole engine with made-up peers. */

import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { wsgiHandler } from '../../../src/app/wsgi/wsgi.ts';
import { Forwarding, type ForwardingOptions } from '../../../src/http/forwarding/forwarding.ts';
import { defaultLimits, defaultTimeouts } from '../../../src/http/limits.ts';
import { HttpServer } from '../../../src/http/server.ts';

type Env = Readonly<Record<string, string>>;

/** The answer's status, and the environ where the app was asked. */
async function ask(
  options: Partial<ForwardingOptions>,
  peer: string,
  fields: readonly string[],
): Promise<{ status: number; env: Env; received: string }> {
  const handle = wsgiHandler(
    (env, startResponse) => {
      startResponse('200 OK', []);
      return [JSON.stringify(Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string')))];
    },
    { multithread: false, multiprocess: false, onErrorLine: () => {} },
  );
  const forwarding = new Forwarding({
    allowFrom: ['127.0.0.1', '::1'],
    clientAddress: undefined,
    host: false,
    strips: false,
    ...options,
  });
  const server = new HttpServer({
    limits: defaultLimits,
    timeouts: defaultTimeouts,
    handle,
    forwarding,
    onFailure: (_, error) => expect.fail(String(error)),
  });
  server.local = { address: '10.9.9.9', port: '8000' };
  const [ours, theirs] = duplexPair();
  server.serve(theirs, { address: peer, port: peer === '' ? '' : '4711' });
  ours.write(
    `GET /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`,
  );
  const received = await text(ours);
  server.destroy();
  await server.drain(0);
  const body = received.slice(received.indexOf('\r\n\r\n') + 4);
  return { status: Number(received.slice(9, 12)), env: body.startsWith('{') ? JSON.parse(body) : {}, received };
}

const scheme = async (options: Partial<ForwardingOptions>, peer: string, ...fields: string[]) =>
  (await ask(options, peer, fields)).env['wsgi.url_scheme'];

const client = async (options: Partial<ForwardingOptions>, peer: string, ...fields: string[]) => {
  const { env, status } = await ask(options, peer, fields);
  return status === 200 ? [env.REMOTE_ADDR, env.REMOTE_PORT] : status;
};

describe('the scheme', () => {
  it.each([
    ['X-Forwarded-Proto: https', 'https'],
    ['X-Forwarded-Proto: HTTPS', 'https'],
    ['X-Forwarded-Proto: http', 'http'],
    ['X-Forwarded-Proto: wss', 'http'],
    ['X-Forwarded-Proto: https, http', 'http'],
    ['X-Forwarded-Proto:', 'http'],
    ['X-Forwarded-Protocol: ssl', 'https'],
    ['X-Forwarded-Protocol: https', 'https'],
    ['X-Forwarded-Ssl: on', 'https'],
    ['X-Forwarded-Ssl: off', 'http'],
    ['x-forwarded-proto: https', 'https'],
    ['Forwarded: proto=https', 'http'],
  ])('of a trusted peer with "%s" is %s', async (field, expected) => {
    expect(await scheme({}, '127.0.0.1', field)).toBe(expected);
  });

  it('comes from several fields that agree', async () => {
    const fields = ['X-Forwarded-Proto: https', 'X-Forwarded-Ssl: on', 'X-Forwarded-Proto: https'];
    expect(await scheme({}, '127.0.0.1', ...fields)).toBe('https');
  });

  it.each([
    [['X-Forwarded-Proto: https', 'X-Forwarded-Ssl: off']],
    [['X-Forwarded-Proto: https', 'X-Forwarded-Proto: http']],
    [['X-Forwarded-Protocol: ssl', 'X-Forwarded-Proto: http']],
  ])('of fields that contradict each other (%s) is refused: 400, and the connection is closed', async (fields) => {
    const { status, received } = await ask({}, '::1', fields);
    expect(status).toBe(400);
    expect(received).toMatch(/connection: close/i);
    expect(received).toContain('contradictory scheme headers');
  });

  it('of a peer that is not trusted is that of the connection, and its contradictions are no error', async () => {
    expect(await scheme({}, '192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Ssl: off')).toBe('http');
  });

  it.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['10.1.2.3', ['::ffff:10.1.2.3'], true],
    ['10.1.2.4', ['::ffff:10.1.2.3'], false],
    ['10.1.2.3', ['::ffff:10.0.0.0/104'], true],
    ['11.1.2.3', ['::ffff:10.0.0.0/104'], false],
    ['2001:db8::7', ['2001:db8::/32'], true],
    ['2001:DB8:0:0::7', ['2001:db8::7'], true],
    ['2001:db9::7', ['2001:db8::/32'], false],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['fe80::1', ['::/0'], true],
    ['198.51.100.1', ['0.0.0.0/0'], true],
    ['198.51.100.1', ['::/0'], false],
    ['198.51.100.1', ['*'], true],
    ['', [], true],
    ['127.0.0.1', [], false],
  ])('of the peer "%s" with the list %j: trusted %s', async (peer, allowFrom, isTrusted) => {
    expect(await scheme({ allowFrom }, peer, 'X-Forwarded-Proto: https')).toBe(isTrusted ? 'https' : 'http');
  });
});

describe('the client, with x-forwarded-for', () => {
  const options = {
    clientAddress: 'x-forwarded-for',
    allowFrom: ['127.0.0.1', '::1', '10.0.0.0/8', '2001:db8:1::/48'],
  };

  it.each([
    [['203.0.113.9'], ['203.0.113.9', '']],
    [['203.0.113.9:5678'], ['203.0.113.9', '5678']],
    [['2001:db8::9'], ['2001:db8::9', '']],
    [['[2001:db8::9]:5678'], ['2001:db8::9', '5678']],
    [['[2001:db8::9]'], ['2001:db8::9', '']],
    [['::ffff:203.0.113.9'], ['203.0.113.9', '']],
    [['198.51.100.1, 203.0.113.9'], ['203.0.113.9', '']],
    [['198.51.100.1,203.0.113.9,10.0.0.7'], ['203.0.113.9', '']],
    [
      ['198.51.100.1', '203.0.113.9, 10.0.0.7', '::ffff:10.0.0.8'],
      ['203.0.113.9', ''],
    ],
    [['198.51.100.1, 2001:db8::9, 2001:db8:1::5'], ['2001:db8::9', '']],
    [['10.0.0.7, 10.0.0.8'], ['10.0.0.7', '']],
    [[], ['127.0.0.1', '4711']],
    [[''], ['127.0.0.1', '4711']],
    [['198.51.100.1, unknown'], ['', '']],
    [['198.51.100.1, evil.example, 10.0.0.7'], ['', '']],
  ])('%j is %j', async (values, expected) => {
    const fields = values.map((value) => `X-Forwarded-For: ${value}`);
    expect(await client(options, '127.0.0.1', ...fields)).toEqual(expected);
  });

  it('is the leftmost if everyone is trusted', async () => {
    const all = { ...options, allowFrom: ['*'] };
    expect(await client(all, '192.0.2.1', 'X-Forwarded-For: 1.2.3.4, 5.6.7.8')).toEqual(['1.2.3.4', '']);
  });

  it('is believed of a peer on a unix socket', async () => {
    expect(await client(options, '', 'X-Forwarded-For: 203.0.113.9')).toEqual(['203.0.113.9', '']);
  });
});

describe('the client, with Forwarded (RFC 7239)', () => {
  const options = { clientAddress: 'forwarded', allowFrom: ['127.0.0.1', '10.0.0.0/8'] };

  it.each([
    ['for=203.0.113.9', ['203.0.113.9', '']],
    ['For="203.0.113.9:80"', ['203.0.113.9', '80']],
    ['for="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17', '4711']],
    ['for=198.51.100.1;proto=http, for=203.0.113.9;by=10.0.0.1, for=10.0.0.2', ['203.0.113.9', '']],
    ['for=198.51.100.1, for=_hidden', ['', '']],
    ['for=198.51.100.1, for=unknown', ['', '']],
    ['for=198.51.100.1, proto=https', ['', '']],
    ['for="', 400],
    ['for=198.51.100.1, for=203.0.113.9;=', 400],
  ])('%s is %j', async (value, expected) => {
    expect(await client(options, '127.0.0.1', `Forwarded: ${value}`)).toEqual(expected);
  });

  it('brings its own scheme, and not that of the hops behind it', async () => {
    const value = 'Forwarded: for=1.1.1.1;proto=http, for=203.0.113.9;proto=https, for=10.0.0.2;proto=http';
    expect(await scheme(options, '127.0.0.1', value)).toBe('https');
    expect((await ask(options, '127.0.0.1', [value, 'X-Forwarded-Proto: http'])).status).toBe(400);
  });

  it('a quote that a client leaves open does not swallow what the proxy adds', async () => {
    const fields = ['Forwarded: for="', 'Forwarded: for=203.0.113.9;host="x"'];
    expect(await client(options, '127.0.0.1', ...fields)).toBe(400);
  });
});

describe('the client, with a field of one address', () => {
  const options = { clientAddress: 'cf-connecting-ip' };

  it('is what it says; two of them are refused, and what is no address is nobody', async () => {
    expect(await client(options, '127.0.0.1', 'CF-Connecting-IP: 203.0.113.9')).toEqual(['203.0.113.9', '']);
    expect(await client(options, '127.0.0.1', 'CF-Connecting-IP: 1.1.1.1', 'CF-Connecting-IP: 2.2.2.2')).toBe(400);
    expect(await client(options, '127.0.0.1', 'CF-Connecting-IP: 1.1.1.1, 2.2.2.2')).toEqual(['', '']);
  });
});

describe('host, port and prefix', () => {
  const told = [
    'X-Forwarded-Host: evil.example, shop.example',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Prefix: /sh%20op/',
  ];

  it('are believed with forwardedHost: of each the last', async () => {
    const { env } = await ask({ host: true }, '127.0.0.1', told);
    expect(env).toMatchObject({
      HTTP_HOST: 'shop.example',
      SERVER_PORT: '443',
      SCRIPT_NAME: '/sh op',
      PATH_INFO: '/p',
    });
    expect(env.SERVER_NAME).toBe('10.9.9.9');
  });

  it('the port may be that of the host', async () => {
    const { env } = await ask({ host: true }, '127.0.0.1', ['X-Forwarded-Host: shop.example:8443']);
    expect(env).toMatchObject({ HTTP_HOST: 'shop.example:8443', SERVER_PORT: '8443', SCRIPT_NAME: '' });
  });

  it('of Forwarded are believed with both settings', async () => {
    const options = { host: true, clientAddress: 'forwarded' };
    const { env } = await ask(options, '127.0.0.1', ['Forwarded: for=203.0.113.9;host="shop.example:81"']);
    expect(env).toMatchObject({ HTTP_HOST: 'shop.example:81', SERVER_PORT: '81' });
  });

  it.each([
    'X-Forwarded-Host: a b',
    'X-Forwarded-Host: a/b',
    'X-Forwarded-Port: 99999',
    'X-Forwarded-Port: 80x',
    'X-Forwarded-Prefix: //evil.example',
    'X-Forwarded-Prefix: evil',
    'X-Forwarded-Prefix: /a?b',
    'X-Forwarded-Prefix: /%zz',
  ])('malformed ones are refused: %s', async (field) => {
    expect((await ask({ host: true }, '127.0.0.1', [field])).status).toBe(400);
    expect((await ask({ host: true }, '192.0.2.1', [field])).status).toBe(200);
    expect((await ask({}, '127.0.0.1', [field])).status).toBe(200);
  });
});

describe('stripped', () => {
  const forged = [
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Proto: https',
    'X_Forwarded_For: 1.2.3.4',
    'X-Forwarded-Client-Cert: Subject="CN=admin"',
    'Forwarded: for=1.2.3.4',
    'X-Real-IP: 1.2.3.4',
    'CF-Connecting-IP: 1.2.3.4',
  ];

  it('are the fields of peers that are not trusted, and no others', async () => {
    const options = { strips: true, clientAddress: 'cf-connecting-ip' };
    const { env } = await ask(options, '192.0.2.1', [...forged, 'X-Forward: kept', 'Accept: a/b']);
    const fields = Object.keys(env).filter((key) => key.startsWith('HTTP_'));
    expect(fields.sort()).toEqual(['HTTP_ACCEPT', 'HTTP_CONNECTION', 'HTTP_HOST', 'HTTP_X_FORWARD']);
    const { env: trusted } = await ask({ strips: true }, '127.0.0.1', forged.slice(0, 3));
    expect(trusted).toMatchObject({ HTTP_X_FORWARDED_FOR: '1.2.3.4', HTTP_X_FORWARDED_PROTO: 'https' });
  });

  it('is nothing without the setting', async () => {
    expect((await ask({}, '192.0.2.1', forged)).env).toMatchObject({ HTTP_X_REAL_IP: '1.2.3.4' });
  });
});

/** What the app would see of a client at 203.0.113.66 that is asked by, or stands behind, what each case says. */
describe('spoofing fails', () => {
  const attacker = '203.0.113.66';
  const xff = { clientAddress: 'x-forwarded-for', host: true, allowFrom: ['127.0.0.1', '10.0.0.0/8'] };
  const forwarded = { ...xff, clientAddress: 'forwarded' };
  const realIp = { ...xff, clientAddress: 'x-real-ip' };

  it.each<[string, Partial<ForwardingOptions>, string[]]>([
    ['X-Forwarded-For', xff, ['X-Forwarded-For: 127.0.0.1']],
    ['a list in X-Forwarded-For', xff, ['X-Forwarded-For: 127.0.0.1, 10.0.0.1, 10.0.0.2']],
    ['X-Forwarded-Proto', xff, ['X-Forwarded-Proto: https']],
    ['X-Forwarded-Protocol', xff, ['X-Forwarded-Protocol: ssl']],
    ['X-Forwarded-Ssl', xff, ['X-Forwarded-Ssl: on']],
    ['X-Forwarded-Host', xff, ['X-Forwarded-Host: bank.example']],
    ['X-Forwarded-Port', xff, ['X-Forwarded-Port: 443']],
    ['X-Forwarded-Prefix', xff, ['X-Forwarded-Prefix: /admin']],
    ['Forwarded', forwarded, ['Forwarded: for=127.0.0.1;proto=https;host=bank.example']],
    ['X-Real-IP', realIp, ['X-Real-IP: 127.0.0.1']],
    ['an underscore', xff, ['X_Forwarded_For: 127.0.0.1', 'X_Forwarded_Proto: https']],
    ['another field than the one that is read', xff, ['X-Real-IP: 127.0.0.1', 'Forwarded: for=127.0.0.1']],
    ['SCRIPT_NAME and REMOTE_ADDR as fields', xff, ['Script-Name: /admin', 'Remote-Addr: 127.0.0.1']],
  ])('of a client that comes directly, by %s', async (_, options, fields) => {
    const { env } = await ask(options, attacker, fields);
    expect(env).toMatchObject({ REMOTE_ADDR: attacker, REMOTE_PORT: '4711', 'wsgi.url_scheme': 'http' });
    expect(env).toMatchObject({ HTTP_HOST: 'h', SERVER_PORT: '8000', SCRIPT_NAME: '' });
  });

  it.each<[string, Partial<ForwardingOptions>, string[]]>([
    ['a trusted address in front', xff, [`X-Forwarded-For: 127.0.0.1, ${attacker}`]],
    ['many', xff, [`X-Forwarded-For: ${'10.0.0.1, '.repeat(100)}${attacker}`]],
    ['a field of its own', xff, ['X-Forwarded-For: 10.0.0.1', `X-Forwarded-For: ${attacker}`]],
    ['the mapped form of a trusted address', xff, [`X-Forwarded-For: ::ffff:127.0.0.1, ${attacker}, 10.0.0.5`]],
    ['garbage', xff, [`X-Forwarded-For: "127.0.0.1, ,,;=, ${attacker}`]],
    ['an element of Forwarded', forwarded, [`Forwarded: for=127.0.0.1;proto=https, for=${attacker};proto=http`]],
    ['a quoted comma', forwarded, [`Forwarded: for="127.0.0.1, x", for=${attacker}`]],
    ['a field for Forwarded', xff, ['Forwarded: for=127.0.0.1', `X-Forwarded-For: ${attacker}`]],
    ['the port', xff, [`X-Forwarded-For: 127.0.0.1:80, ${attacker}:81`]],
  ])('of a client behind a proxy, by %s', async (_, options, fields) => {
    const { env } = await ask(options, '127.0.0.1', fields);
    expect(env).toMatchObject({ REMOTE_ADDR: attacker, 'wsgi.url_scheme': 'http' });
  });

  it.each<[string, Partial<ForwardingOptions>, string[]]>([
    ['two of a field with one address', realIp, ['X-Real-IP: 127.0.0.1', `X-Real-IP: ${attacker}`]],
    ['an open quote', forwarded, [`Forwarded: for="127.0.0.1, for=${attacker}`]],
    ['two schemes', xff, ['X-Forwarded-Proto: https', 'X-Forwarded-Proto: http']],
  ])('and costs the client its own request, by %s', async (_, options, fields) => {
    expect((await ask(options, '127.0.0.1', fields)).status).toBe(400);
  });
});
