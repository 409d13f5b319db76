import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import echo from '../../apps/echo.ts';
import { type Service, serve } from './serve.ts';

let service: Service;
beforeAll(async () => {
  service = await serve(echo);
});
afterAll(async () => {
  await service.close();
  expect(service.failures).toEqual([]);
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('apps/echo.ts', () => {
  test('a body comes back with its type and its length', async () => {
    const response = await fetch(service.url, {
      method: 'POST',
      headers: { 'Content-Type': 'text/x-poem' },
      body: 'grüße',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/x-poem');
    expect(response.headers.get('content-length')).toBe('7');
    expect(await response.text()).toBe('grüße');
  });

  test('a body without a type is bytes', async () => {
    const answer = await service.exchange('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi');
    expect(answer).toMatch(/^Content-Type: application\/octet-stream\r$/m);
    expect(answer).toMatch(/\r\n\r\nhi$/);
  });

  test('a request without a body gets an empty answer', async () => {
    const response = await fetch(service.url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('0');
    expect(await response.text()).toBe('');
  });

  test('a chunked body is answered by a chunked body', async () => {
    const answer = await service.exchange(
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^Transfer-Encoding: chunked\r$/m);
    expect(answer).not.toMatch(/^Content-Length/im);
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    expect(body.replace(/[0-9a-f]+\r\n(.*?)\r\n/g, '$1').trim()).toBe('abcde');
  });

  test('the first piece comes back before the last one is sent', async () => {
    const socket = connect(service.port, '127.0.0.1').setEncoding('latin1');
    let answer = '';
    const isThere = async (text: string) => {
      while (!answer.includes(text)) answer += await new Promise<string>((resolve) => socket.once('data', resolve));
    };
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nConnection: close\r\n\r\nfirst');
    await isThere('first');
    socket.write('later');
    await isThere('later');
    socket.destroy();
  });

  test('100 Continue is sent before the body is read', async () => {
    const answer = await service.exchange(
      'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
    );
    expect(answer).toMatch(/\r\n\r\nhi$/);
  });

  test.each(['Content-Length', 'chunked'])('32 MiB come back byte for byte, sent as %s', async (framing) => {
    const bytes = randomBytes(32 * 1024 * 1024);
    const headers = framing === 'chunked' ? {} : { 'Content-Length': bytes.length };
    const back = await new Promise<Buffer>((resolve, reject) => {
      const sending = request(service.url, { method: 'PUT', headers, agent: false }, (response) => {
        buffer(response).then(resolve, reject);
      });
      sending.on('error', reject);
      for (let start = 0; start < bytes.length; start += 1024 * 1024)
        sending.write(bytes.subarray(start, start + 1024 * 1024));
      sending.end();
    });
    expect(back.length).toBe(bytes.length);
    expect(sha256(back)).toBe(sha256(bytes));
  });

  test('requests on one connection are answered in order, each with its own body', async () => {
    const post = (body: string) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await service.exchange(post('one') + post('two') + post('three'));
    expect([...answer.matchAll(/\r\n\r\n(one|two|three)/g)].map(([, body]) => body)).toEqual(['one', 'two', 'three']);
  });
});
