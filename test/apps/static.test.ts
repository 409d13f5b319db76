import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import html, { serveFiles } from '../../apps/static.ts';
import { openDescriptors } from '../descriptors.ts';
import { type Service, serve } from './serve.ts';

const secret = 'nobody must read this';
const largeBytes = 3_000_000;
const alphabet = 'abcdefghijklmnopqrstuvwxyz';

/** Holds the root, and beside it what must not be served. */
let home: string;
let root: string;
let service: Service;

/** The oldest of the three forms: `Sun Nov  6 08:49:37 1994`. */
function asctime(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`;
}

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
}

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'static-')));
  root = join(home, 'root');
  put('secret.txt', secret);
  put('root-evil/secret.txt', secret);
  put('root/index.html', '<h1>index</h1>');
  put('root/alphabet.txt', alphabet);
  put('root/empty.txt', '');
  put('root/docs/index.html', '<h1>docs</h1>');
  put('root/docs/a b & ü.txt', 'spaces');
  put('root/100%.txt', 'percent');
  put('root/%2e%2e/index.html', 'a directory that is named so');
  put('root/bare/file.txt', 'no index here');
  put('root/html', 'no extension');
  put('root/.env', secret);
  put('root/.git/config', secret);
  put('root/docs/.htpasswd', secret);
  put('root/..data/real.txt', 'inside');
  put('root/style.css', 'body { color: black }');
  put('root/style.css.br', 'brotli');
  put('root/style.css.gz', 'gzip!!');
  put('root/picture.png', 'png');
  put('root/picture.png.br', 'never');
  put('root/large.bin', Buffer.from(Uint8Array.from({ length: largeBytes }, (_, index) => index % 251)));
  symlinkSync(join(home, 'secret.txt'), join(root, 'link-out.txt'));
  symlinkSync('../secret.txt', join(root, 'relative-out.txt'));
  symlinkSync(home, join(root, 'dir-out'));
  symlinkSync('/', join(root, 'slash'));
  symlinkSync(join(home, 'root-evil'), join(root, 'sibling'));
  symlinkSync('link-out.txt', join(root, 'link-to-link.txt'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('nowhere', join(root, 'dangling.txt'));
  symlinkSync('../secret.txt', join(root, 'alphabet.txt.br'));
  symlinkSync('alphabet.txt', join(root, 'link-in.txt'));
  symlinkSync('..data/real.txt', join(root, 'mounted.txt'));
  symlinkSync('/dev/zero', join(root, 'zero'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  service = await serve(serveFiles(root));
});

afterAll(async () => {
  await service.close();
  rmSync(home, { recursive: true, force: true });
  expect(service.failures).toEqual([]);
});

function openFiles(directory: string): string[] {
  return openDescriptors().filter((target) => target.startsWith(`${directory}/`));
}

async function closed(directory: string): Promise<void> {
  while (openFiles(directory).length > 0) await setTimeout(10);
}

describe('files and directories', () => {
  test('the root is its index.html', async () => {
    const { status, fields, body } = await service.get('/');
    expect(status).toBe(200);
    expect(fields.get('content-type')).toBe('text/html; charset=utf-8');
    expect(fields.get('content-length')).toBe('14');
    expect(body).toBe('<h1>index</h1>');
  });

  test.each([
    ['/docs/', '<h1>docs</h1>'],
    ['/docs/a%20b%20%26%20%C3%BC.txt', 'spaces'],
    ['/100%25.txt', 'percent'],
    ['/%61lphabet.txt', alphabet],
    ['/alphabet.txt?v=1', alphabet],
    ['/link-in.txt', alphabet],
    ['/mounted.txt', 'inside'],
    ['/empty.txt', ''],
  ])('GET %s', async (target, content) => {
    const { status, fields, body } = await service.get(target);
    expect(status).toBe(200);
    expect(fields.get('content-length')).toBe(String(content.length));
    expect(body).toBe(content);
  });

  test.each([
    ['/docs', 'docs/'],
    ['/docs?a=b&c', 'docs/?a=b&c'],
    ['/bare', 'bare/'],
    ['/%252e%252e', '%252e%252e/'],
  ])('the directory %s is redirected to %s, relative to where it is', async (target, location) => {
    const { status, fields } = await service.get(target);
    expect(status).toBe(301);
    expect(fields.get('location')).toBe(location);
    const response = await fetch(service.url + target, { redirect: 'manual' });
    await response.text();
    expect(new URL(response.headers.get('location')!, service.url + target).host).toBe(`127.0.0.1:${service.port}`);
  });

  test('an app mounted below a path redirects to its own root', async () => {
    const app = serveFiles(root);
    await using mounted = await serve((env, start) => {
      env.SCRIPT_NAME = '/files';
      env.PATH_INFO = env.PATH_INFO.slice('/files'.length);
      return app(env, start);
    });
    expect((await mounted.get('/files')).fields.get('location')).toBe('files/');
    expect((await mounted.get('/files/')).body).toBe('<h1>index</h1>');
  });

  test('a directory without an index is not found, and not listed', async () => {
    const { status, body } = await service.get('/bare/');
    expect(status).toBe(404);
    expect(body).not.toContain('file.txt');
  });

  test('a file is no directory', async () => {
    expect((await service.get('/alphabet.txt/')).status).toBe(404);
    expect((await service.get('/alphabet.txt/x')).status).toBe(404);
  });

  test.each(['/nothing', '/docs//index.html', '//docs', '/loop', '/dangling.txt', `/${'x'.repeat(300)}`])(
    'GET %s is not found',
    async (target) => expect((await service.get(target)).status).toBe(404),
  );

  test('a named pipe is not found, and nobody waits for it', async () => {
    expect((await service.get('/pipe')).status).toBe(404);
  });

  test.each([
    ['page.html', 'text/html; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.js', 'text/javascript; charset=utf-8'],
    ['a.mjs', 'text/javascript; charset=utf-8'],
    ['a.json', 'application/json'],
    ['a.svg', 'image/svg+xml'],
    ['a.PNG', 'image/png'],
    ['a.webp', 'image/webp'],
    ['a.woff2', 'font/woff2'],
    ['a.wasm', 'application/wasm'],
    ['a.pdf', 'application/pdf'],
    ['a.unheard-of', 'application/octet-stream'],
    ['html', 'application/octet-stream'],
  ])('%s is %s', async (name, type) => {
    put(`root/types/${name}`, 'x');
    const { fields } = await service.get(`/types/${name}`);
    expect(fields.get('content-type')).toBe(type);
    expect(fields.get('x-content-type-options')).toBe('nosniff');
  });

  test('HEAD has the fields of GET and no body', async () => {
    const answer = await service.exchange('HEAD /alphabet.txt HTTP/1.1\r\nHost: h\r\n\r\n');
    const same = await service.exchange('GET /alphabet.txt HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(answer).toMatch(/\r\n\r\n$/);
    expect(answer.replace(/^Date.*$/m, '')).toBe(same.replace(/^Date.*$/m, '').slice(0, -alphabet.length));
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is a 405 that names what is allowed', async (method) => {
    const answer = await service.exchange(`${method} /alphabet.txt HTTP/1.1\r\nHost: h\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toMatch(/^Allow: GET, HEAD\r$/m);
  });
});

describe('paths that lead out of the root', () => {
  test.each([
    // Dots, as they are and encoded.
    '/../secret.txt',
    '/../../../../../../../etc/passwd',
    '/docs/../../secret.txt',
    '/docs/..',
    '/..',
    '/./../secret.txt',
    '/%2e%2e/secret.txt',
    '/%2E%2E/secret.txt',
    '/.%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/docs%2f..%2f..%2fsecret.txt',
    // Encoded twice and more.
    '/%252e%252e/secret.txt',
    '/%252e%252e%252fsecret.txt',
    '/%25252e%25252e/secret.txt',
    // Overlong, invalid and other Unicode.
    '/%c0%ae%c0%ae/secret.txt',
    '/%c0%ae%c0%ae%c0%afsecret.txt',
    '/%e0%80%ae%e0%80%ae/secret.txt',
    '/%u002e%u002e/secret.txt',
    '/%ef%bc%8e%ef%bc%8e/secret.txt',
    '/%ff/secret.txt',
    // Backslashes.
    '/..\\secret.txt',
    '/..%5csecret.txt',
    '/docs%5c..%5c..%5csecret.txt',
    '/\\secret.txt',
    // NUL and other control characters.
    '/alphabet.txt%00',
    '/alphabet.txt%00.png',
    '/..%00/secret.txt',
    '/alphabet.txt%0d%0aX:%20y',
    // An absolute path, another scheme, a parameter.
    '//etc/passwd',
    '/%2fetc/passwd',
    '/file:///etc/passwd',
    '/C:/secret.txt',
    '/..;/secret.txt',
    'secret.txt',
    '../secret.txt',
    'http://localhost/../secret.txt',
    // Symbolic links.
    '/link-out.txt',
    '/relative-out.txt',
    '/link-to-link.txt',
    '/dir-out/secret.txt',
    '/dir-out',
    '/dir-out/',
    '/slash/etc/passwd',
    '/sibling/secret.txt',
    '/dir-out/root/alphabet.txt/../../secret.txt',
    '/zero',
    // Dot files.
    '/.env',
    '/%2eenv',
    '/.git/config',
    '/docs/.htpasswd',
    '/..data/real.txt',
    '/docs/..%2f.env',
  ])('%s is refused', async (target) => {
    const { status, fields, body } = await service.get(target);
    expect([400, 404]).toContain(status);
    for (const text of [secret, 'root:', alphabet, home]) expect(body).not.toContain(text);
    expect(fields.get('x')).toBeNull();
    expect(fields.get('etag')).toBeNull();
  });

  test('a precompressed sibling that links out of the root is passed over', async () => {
    const { body, fields } = await service.get('/alphabet.txt', 'Accept-Encoding: br');
    expect(body).toBe(alphabet);
    expect(fields.get('content-encoding')).toBeNull();
  });

  test('a file that becomes a link while it is asked for never leads out', async () => {
    const flicker = join(root, 'flicker');
    mkdirSync(join(root, 'stable'));
    put('root/stable/secret.txt', 'harmless');
    let isAsking = true;
    const asking = Promise.all(Array.from({ length: 300 }, () => service.get('/flicker/secret.txt')));
    void asking.finally(() => (isAsking = false));
    for (let turn = 0; isAsking; turn++) {
      rmSync(flicker, { force: true });
      symlinkSync(turn % 2 === 0 ? home : join(root, 'stable'), flicker);
      await setImmediate();
    }
    const bodies = (await asking).map(({ body }) => body);
    expect(bodies).toContain('harmless');
    for (const body of bodies) expect(body).not.toContain(secret);
  });

  test('refused requests leave no file open', async () => {
    await closed(home);
    expect(openFiles(home)).toEqual([]);
  });
});

describe('conditional requests (RFC 9110 §13)', () => {
  const modified = new Date('2024-05-05T05:05:05.678Z');
  const lastModified = 'Sun, 05 May 2024 05:05:05 GMT';
  const earlier = 'Sun, 05 May 2024 05:05:04 GMT';
  let etag: string;

  beforeAll(async () => {
    utimesSync(join(root, 'alphabet.txt'), modified, modified);
    etag = (await service.get('/alphabet.txt')).fields.get('etag')!;
  });

  test('an answer carries its validators', async () => {
    const { fields } = await service.get('/alphabet.txt');
    expect(fields.get('last-modified')).toBe(lastModified);
    expect(etag).toMatch(/^"[^"]+"$/);
  });

  test.each([
    ['If-None-Match: ETAG', 304],
    ['If-None-Match: W/ETAG', 304],
    ['If-None-Match: "other", ETAG', 304],
    ['If-None-Match: *', 304],
    ['If-None-Match: "other"', 200],
    [`If-Modified-Since: ${lastModified}`, 304],
    [`If-Modified-Since: ${earlier}`, 200],
    ['If-Modified-Since: yesterday', 200],
    // What only Date.parse takes for a date.
    ['If-Modified-Since: 2099', 200],
    ['If-Modified-Since: 2099-01-01T00:00:00Z', 200],
    [`If-Modified-Since: ${lastModified}, ${lastModified}`, 200],
    [`If-Modified-Since: ${asctime(modified)}`, 304],
    [`If-Modified-Since: ${asctime(new Date(earlier))}`, 200],
    [`If-None-Match: "other"\r\nIf-Modified-Since: ${lastModified}`, 200],
    [`If-None-Match: ETAG\r\nIf-Modified-Since: ${earlier}`, 304],
    ['If-Match: ETAG', 200],
    ['If-Match: *', 200],
    ['If-Match: "other"', 412],
    ['If-Match: W/ETAG', 412],
    [`If-Unmodified-Since: ${lastModified}`, 200],
    [`If-Unmodified-Since: ${earlier}`, 412],
    ['If-Unmodified-Since: yesterday', 200],
    ['If-Unmodified-Since: 1990', 200],
    ['If-Unmodified-Since: 1990-01-01', 200],
    [`If-Unmodified-Since: ${asctime(new Date(earlier))}`, 412],
    [`If-Match: ETAG\r\nIf-Unmodified-Since: ${earlier}`, 200],
  ])('%j is answered %i', async (field, expected) => {
    const { status, fields, body } = await service.get('/alphabet.txt', field.replace('ETAG', etag));
    expect(status).toBe(expected);
    if (status === 200) expect(body).toBe(alphabet);
    if (status === 304) {
      expect(body).toBe('');
      expect(fields.get('etag')).toBe(etag);
      expect(fields.get('content-type')).toBeNull();
    }
  });

  test('a changed file has another tag', async () => {
    put('root/changing.txt', 'one');
    const before = (await service.get('/changing.txt')).fields.get('etag')!;
    put('root/changing.txt', 'other');
    const { status, body } = await service.get('/changing.txt', `If-None-Match: ${before}`);
    expect(status).toBe(200);
    expect(body).toBe('other');
  });
});

describe('ranges (RFC 9110 §14)', () => {
  test.each([
    ['bytes=0-0', 'bytes 0-0/26', 'a'],
    ['bytes=2-4', 'bytes 2-4/26', 'cde'],
    ['bytes=23-', 'bytes 23-25/26', 'xyz'],
    ['bytes=-3', 'bytes 23-25/26', 'xyz'],
    ['bytes=20-1000', 'bytes 20-25/26', 'uvwxyz'],
    ['bytes=-1000', 'bytes 0-25/26', alphabet],
    ['bytes=0-', 'bytes 0-25/26', alphabet],
    ['BYTES=2-4', 'bytes 2-4/26', 'cde'],
    ['bytes=2-4, 90-99', 'bytes 2-4/26', 'cde'],
    ['bytes=2-4, 5-6', 'bytes 2-6/26', 'cdefg'],
  ])('Range: %s is 206 with %s', async (range, contentRange, content) => {
    const { status, fields, body } = await service.get('/alphabet.txt', `Range: ${range}`);
    expect(status).toBe(206);
    expect(fields.get('content-range')).toBe(contentRange);
    expect(fields.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(fields.get('content-length')).toBe(String(content.length));
    expect(body).toBe(content);
  });

  test.each(['bytes=26-', 'bytes=100-200', 'bytes=-0'])('Range: %s is 416 and says the length', async (range) => {
    const { status, fields } = await service.get('/alphabet.txt', `Range: ${range}`);
    expect(status).toBe(416);
    expect(fields.get('content-range')).toBe('bytes */26');
    expect(fields.get('content-encoding')).toBeNull();
  });

  test.each(['items=0-1', 'items=99-', 'bytes', 'bytes=', 'bytes=x-y', 'bytes=-', 'bytes=1-2, 5'])(
    'Range: %s is ignored',
    async (range) => {
      const { status, body } = await service.get('/alphabet.txt', `Range: ${range}`);
      expect(status).toBe(200);
      expect(body).toBe(alphabet);
    },
  );

  test('several ranges come as multipart/byteranges, each with its type and place', async () => {
    const { status, fields, body } = await service.get('/alphabet.txt', 'Range: bytes=0-1, 10-12, -1');
    expect(status).toBe(206);
    const [, boundary] = /^multipart\/byteranges; boundary=(.+)$/.exec(fields.get('content-type')!)!;
    expect(fields.get('content-length')).toBe(String(body.length));
    const parts = [
      ['0-1', 'ab'],
      ['10-12', 'klm'],
      ['25-25', 'z'],
    ].map(
      ([place, content]) =>
        `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${place}/26\r\n\r\n${content}`,
    );
    expect(body).toBe(`${parts.join('')}\r\n--${boundary}--\r\n`);
  });

  test('large ranges in several parts have the length that was said', async () => {
    const { fields, body } = await service.get('/large.bin', 'Range: bytes=0-999999, 2000000-');
    expect(fields.get('content-type')).toMatch(/^multipart/);
    expect(fields.get('content-length')).toBe(String(body.length));
    expect(body.length).toBeGreaterThan(2_000_000);
  });

  test('a client that asks for more than sixteen pieces gets the whole file', async () => {
    const pieces = Array.from({ length: 17 }, (_, index) => `${index * 10}-${index * 10}`);
    expect((await service.get('/large.bin', `Range: bytes=${pieces.slice(1).join(',')}`)).status).toBe(206);
    expect((await service.get('/large.bin', `Range: bytes=${pieces.join(',')}`)).status).toBe(200);
  });

  test('an empty file has no range', async () => {
    expect((await service.get('/empty.txt', 'Range: bytes=0-')).status).toBe(416);
    expect((await service.get('/empty.txt', 'Range: bytes=-1')).status).toBe(416);
  });

  test('HEAD ignores a range', async () => {
    const answer = await service.exchange('HEAD /alphabet.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/^Content-Length: 26\r$/m);
  });

  test('If-Range sends the part of the version that the client has, and the whole of any other', async () => {
    const { fields } = await service.get('/alphabet.txt');
    const etag = fields.get('etag')!;
    const statusWith = async (ifRange: string) =>
      (await service.get('/alphabet.txt', 'Range: bytes=0-1', `If-Range: ${ifRange}`)).status;
    expect(await statusWith(etag)).toBe(206);
    expect(await statusWith(fields.get('last-modified')!)).toBe(206);
    expect(await statusWith(`W/${etag}`)).toBe(200);
    expect(await statusWith('"other"')).toBe(200);
    expect(await statusWith('Sun, 05 May 2024 05:05:04 GMT')).toBe(200);
  });

  test('a client that has the file is told so, whatever range it asks for', async () => {
    const { fields } = await service.get('/alphabet.txt');
    const { status } = await service.get('/alphabet.txt', 'Range: bytes=0-1', `If-None-Match: ${fields.get('etag')}`);
    expect(status).toBe(304);
  });
});

describe('precompressed siblings', () => {
  test.each([
    ['br', 'br', 'brotli'],
    ['gzip', 'gzip', 'gzip!!'],
    ['gzip, deflate, br, zstd', 'br', 'brotli'],
    ['br;q=0, gzip', 'gzip', 'gzip!!'],
    ['*', 'br', 'brotli'],
    ['zstd', null, 'body { color: black }'],
    ['br;q=0, gzip;q=0', null, 'body { color: black }'],
    ['', null, 'body { color: black }'],
  ])('Accept-Encoding: %j gets %s', async (accepted, encoding, content) => {
    const { status, fields, body } = await service.get('/style.css', `Accept-Encoding: ${accepted}`);
    expect(status).toBe(200);
    expect(body).toBe(content);
    expect(fields.get('content-encoding')).toBe(encoding);
    expect(fields.get('content-type')).toBe('text/css; charset=utf-8');
    expect(fields.get('vary')).toBe('Accept-Encoding');
  });

  test('each has a tag of its own, though size and time are the same', async () => {
    const when = new Date('2024-01-01');
    for (const name of ['style.css.br', 'style.css.gz']) utimesSync(join(root, name), when, when);
    const brotli = (await service.get('/style.css', 'Accept-Encoding: br')).fields.get('etag')!;
    const gzip = (await service.get('/style.css', 'Accept-Encoding: gzip')).fields.get('etag')!;
    expect(brotli).not.toBe(gzip);
    expect((await service.get('/style.css', 'Accept-Encoding: gzip', `If-None-Match: ${brotli}`)).status).toBe(200);
    expect((await service.get('/style.css', 'Accept-Encoding: gzip', `If-None-Match: ${gzip}`)).status).toBe(304);
  });

  test('what is compressed already has none', async () => {
    const { fields, body } = await service.get('/picture.png', 'Accept-Encoding: br');
    expect(body).toBe('png');
    expect(fields.get('vary')).toBeNull();
  });
});

describe('large files', () => {
  /** Resolves with the response's head; nothing of its body is read yet. */
  function begin(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      get(service.url + path, { agent: false }, resolve).on('error', reject);
    });
  }

  test('come byte for byte', async () => {
    const bytes = new Uint8Array(await (await fetch(`${service.url}/large.bin`)).arrayBuffer());
    expect(bytes.length).toBe(largeBytes);
    expect(bytes.every((byte, index) => byte === index % 251)).toBe(true);
  });

  test('a part of one comes byte for byte', async () => {
    const headers = { Range: 'bytes=1000001-2500000' };
    const bytes = new Uint8Array(await (await fetch(`${service.url}/large.bin`, { headers })).arrayBuffer());
    expect(bytes.length).toBe(1_500_000);
    expect(bytes.every((byte, index) => byte === (index + 1_000_001) % 251)).toBe(true);
  });

  test('256 MiB are sent without being held in memory', async () => {
    put('root/huge.bin', '');
    truncateSync(join(root, 'huge.bin'), 256 * 1024 * 1024);
    const before = process.memoryUsage.rss();
    let received = 0;
    let peak = 0;
    for await (const piece of await begin('/huge.bin')) {
      received += piece.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    expect(received).toBe(256 * 1024 * 1024);
    expect(peak - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('a client that goes away midway leaves no file open', async () => {
    put('root/left.bin', '');
    truncateSync(join(root, 'left.bin'), 256 * 1024 * 1024);
    const responses = await Promise.all(Array.from({ length: 20 }, () => begin('/left.bin')));
    expect(openFiles(root).length).toBe(20);
    for (const response of responses) response.destroy();
    await closed(root);
  });

  test('one that shrinks while it is sent ends in a cut connection, not in a complete answer', async () => {
    put('root/shrinking.bin', '');
    truncateSync(join(root, 'shrinking.bin'), 256 * 1024 * 1024);
    const response = await begin('/shrinking.bin');
    truncateSync(join(root, 'shrinking.bin'), 1000);
    await expect(response.resume().toArray()).rejects.toThrow('aborted');
    expect(String(service.failures.splice(0))).toContain('its Content-Length says 268435456');
    await closed(root);
  });
});

describe('the 404 page', () => {
  test("is the root's own 404.html, at any depth", async () => {
    await using shop = await serve(html);
    const { status, fields, body } = await shop.get('/no/such/page?x=1');
    expect(status).toBe(404);
    expect(fields.get('content-type')).toBe('text/html; charset=utf-8');
    expect(fields.get('content-length')).toBe(String(Buffer.byteLength(body, 'latin1')));
    expect(body).toContain('<a href="/">');
    expect((await shop.exchange('HEAD /nope HTTP/1.1\r\nHost: h\r\n\r\n')).split('\r\n\r\n')[1]).toBe('');
  });

  test('is a line of text where the root has none', async () => {
    const { status, fields, body } = await service.get('/nope');
    expect(status).toBe(404);
    expect(fields.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(body).toBe('error: there is no such file\n');
  });
});

describe('the page in apps/html', () => {
  test('has everything that it links to', async () => {
    await using site = await serve(html);
    const { status, body } = await site.get('/');
    expect(status).toBe(200);
    const links = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link!);
    expect(links).toContain('/style.css');
    expect(links).toContain('/logo.svg');
    for (const link of links.filter((link) => link !== '/nowhere'))
      expect([link, (await site.get(link)).status]).toEqual([link, 200]);
    expect((await site.get('/nowhere')).status).toBe(404);
  });

  test('asks no other host for anything', async () => {
    await using site = await serve(html);
    for (const path of ['/', '/404.html', '/style.css'])
      expect((await site.get(path)).body).not.toMatch(/https?:|\/\//);
  });
});

test('a root that does not exist is an error when the app is made', () => {
  expect(() => serveFiles('/no/such/root')).toThrow('/no/such/root');
});
