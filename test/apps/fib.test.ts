import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fib from '../../apps/fib.ts';
import { type Service, serve } from './serve.ts';

let service: Service;
beforeAll(async () => {
  service = await serve(fib);
});
afterAll(async () => {
  await service.close();
  expect(service.failures).toEqual([]);
});

describe('apps/fib.ts', () => {
  test.each([
    ['/0', 'fib: 0\n'],
    ['/1', 'fib: 1\n'],
    ['/6', 'fib: 8\n'],
    ['/30', 'fib: 832040\n'],
    ['/?n=20', 'fib: 6765\n'],
    ['/5?n=10', 'fib: 55\n'],
  ])('GET %s answers %j', async (path, answer) => {
    const response = await fetch(service.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await response.text()).toBe(answer);
  });

  test.each([
    ['/abc', '"abc"'],
    ['/-1', '"-1"'],
    ['/1.5', '"1.5"'],
    ['/1e2', '"1e2"'],
    ['/', '""'],
    ['/?n=', '""'],
    ['/?n=x', '"x"'],
    ['/46', 'at most 45, got 46'],
    ['/99999999999999999999999', 'at most 45'],
  ])('GET %s is a 400 that says %j', async (path, reason) => {
    const response = await fetch(service.url + path);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(reason);
  });

  test('HEAD is answered without a body', async () => {
    const response = await fetch(`${service.url}/6`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('POST is a 405 that names what is allowed', async () => {
    const response = await fetch(`${service.url}/6`, { method: 'POST', body: '6' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    await response.text();
  });
});
