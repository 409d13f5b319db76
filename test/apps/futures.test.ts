import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import futures from '../../apps/futures.ts';
import { eventually, start } from '../integration/harness.ts';
import { type Service, serve } from './serve.ts';

let service: Service;
beforeAll(async () => {
  service = await serve(futures);
});
afterAll(async () => {
  await service.close();
  expect(service.failures).toEqual([]);
});

async function counted(): Promise<string> {
  return (await fetch(service.url)).text();
}

/** Resolves when so many wait: whoever is parked shows no other sign of it. */
async function untilParked(requests: number, keys: number): Promise<void> {
  await eventually(async () => (await counted()) === `waiting: ${requests}, keys: ${keys}\n`);
}

async function post(key: string, body: string, type = 'text/plain'): Promise<string> {
  const response = await fetch(`${service.url}/wait/${key}`, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body,
  });
  expect(response.status).toBe(200);
  return response.text();
}

describe('apps/futures.ts', () => {
  test('a parked request is answered by the body of the POST that releases it', async () => {
    const parked = fetch(`${service.url}/wait/tea`);
    await untilParked(1, 1);
    expect(await post('tea', '{"tea":"🍵"}', 'application/json')).toBe('released: 1\n');
    const response = await parked;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('{"tea":"🍵"}');
    expect(await counted()).toBe('waiting: 0, keys: 0\n');
  });

  test('a POST releases those of its own key, and all of them', async () => {
    const red = [1, 2, 3].map(() => fetch(`${service.url}/wait/red`));
    const blue = fetch(`${service.url}/wait/blue`);
    await untilParked(4, 2);
    expect(await post('red', 'r')).toBe('released: 3\n');
    expect(await Promise.all(red.map(async (response) => (await response).text()))).toEqual(['r', 'r', 'r']);
    expect(await counted()).toBe('waiting: 1, keys: 1\n');
    expect(await post('blue', 'b')).toBe('released: 1\n');
    expect(await (await blue).text()).toBe('b');
  });

  test('a POST for which nobody waits releases nobody, and is not kept for later clients', async () => {
    expect(await post('early', 'gone')).toBe('released: 0\n');
    const late = fetch(`${service.url}/wait/early`);
    await untilParked(1, 1);
    expect(await post('early', 'there')).toBe('released: 1\n');
    expect(await (await late).text()).toBe('there');
  });

  test('a parked request whose client leaves is forgotten', async () => {
    const leaving = new AbortController();
    const left = fetch(`${service.url}/wait/bus`, { signal: leaving.signal }).catch((error) => error.name);
    const stays = fetch(`${service.url}/wait/bus`);
    await untilParked(2, 1);
    leaving.abort();
    expect(await left).toBe('AbortError');
    await untilParked(1, 1);
    expect(await post('bus', 'here')).toBe('released: 1\n');
    expect(await (await stays).text()).toBe('here');
  });

  test('a key that everybody left is forgotten with them', async () => {
    const leaving = new AbortController();
    const left = fetch(`${service.url}/wait/train`, { signal: leaving.signal }).catch(() => {});
    await untilParked(1, 1);
    leaving.abort();
    await left;
    await untilParked(0, 0);
  });

  test('a client that closes half of its connection is not left waiting', async () => {
    expect(await service.exchange('GET /wait/half HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(/^HTTP\/1\.1 503 /);
    expect(await counted()).toBe('waiting: 0, keys: 0\n');
  });

  test('HEAD waits as GET does, and gets no body', async () => {
    const parked = fetch(`${service.url}/wait/head`, { method: 'HEAD' });
    await untilParked(1, 1);
    await post('head', 'four', 'text/css');
    const response = await parked;
    expect(response.headers.get('content-type')).toBe('text/css');
    expect(response.headers.get('content-length')).toBe('4');
    expect(await response.text()).toBe('');
  });

  test.each(['/wait', '/wait/', '/wait/a/b', '/else', '/wait/a/'])('GET %s is a 404 that names it', async (path) => {
    const response = await fetch(service.url + path);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(JSON.stringify(path));
  });

  test.each([
    ['PUT', '/wait/x', 'GET, HEAD, POST'],
    ['DELETE', '/wait/x', 'GET, HEAD, POST'],
    ['POST', '/', 'GET, HEAD'],
  ])('%s %s is a 405 that names what is allowed', async (method, path, allowed) => {
    const response = await fetch(service.url + path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allowed);
    expect(await response.text()).toContain(method);
  });

  test('a key of 200 bytes is taken, and one of 201 refused', async () => {
    expect(await post('k'.repeat(200), '')).toBe('released: 0\n');
    const response = await fetch(`${service.url}/wait/${'k'.repeat(201)}`);
    expect(response.status).toBe(414);
    expect(await response.text()).toContain('got 201');
  });

  test('a body of 64 KiB is passed on, and a larger one refused and passed on to nobody', async () => {
    const largest = 'x'.repeat(64 * 1024);
    const parked = fetch(`${service.url}/wait/large`);
    await untilParked(1, 1);
    for (const body of [`${largest}x`, new Blob([`${largest}x`]).stream()]) {
      const response = await fetch(`${service.url}/wait/large`, {
        method: 'POST',
        body,
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBe(413);
      expect(await response.text()).toContain('65536');
    }
    expect(await post('large', largest)).toBe('released: 1\n');
    expect(await (await parked).text()).toBe(largest);
  });

  test('500 requests parked in one worker are all answered by one POST', async () => {
    const tsgun = start(fileURLToPath(new URL('../../apps/futures.ts', import.meta.url)));
    await tsgun.workers(1);
    const { hostname, port } = new URL(await tsgun.url());
    const answers = Array.from({ length: 500 }, async () => {
      const socket = connect(Number(port), hostname);
      socket.write('GET /wait/all HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      return text(socket);
    });
    await eventually(async () => (await tsgun.get('/')).text === 'waiting: 500, keys: 1\n');
    const released = await fetch(await tsgun.url('/wait/all'), { method: 'POST', body: 'now' });
    expect(await released.text()).toBe('released: 500\n');
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nnow$/s);
    expect((await tsgun.stop()).code).toBe(0);
  });
});
