import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import primes, { closePool } from '../../apps/primes.ts';
import { eventually, start } from '../integration/harness.ts';
import { type Service, serve } from './serve.ts';

/** The largest prime below 2 ** 53: about a third of a second. */
const slowest = 9007199254740881;
const file = fileURLToPath(new URL('../../apps/primes.ts', import.meta.url));

let service: Service;
beforeAll(async () => {
  service = await serve(primes);
});
afterAll(async () => {
  await service.close();
  await closePool();
  expect(service.failures).toEqual([]);
});

async function post(body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(service.url, { method: 'POST', body, ...(signal && { signal }) });
}

/** Of the numbers below `end`, those that are prime, by crossing out. */
function sieve(end: number): Set<number> {
  const left = new Set(Array.from({ length: end - 2 }, (_, index) => index + 2));
  for (const prime of left) for (let multiple = prime * prime; multiple < end; multiple += prime) left.delete(multiple);
  return left;
}

/** CPU time of a process so far, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return user! + system!;
}

describe('apps/primes.ts', () => {
  test('each number of the list has its line, in order', async () => {
    const response = await fetch(`${service.url}/?n=7,${slowest},8,0,1,2,9,25,2147483647,9007199254740991`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe(
      `7: prime\n${slowest}: prime\n8: not prime\n0: not prime\n1: not prime\n2: prime\n9: not prime\n` +
        '25: not prime\n2147483647: prime\n9007199254740991: not prime\n',
    );
  });

  test.each(['1 2 3', ' 1,2,3\n', '1\n2\r\n3\n', '1 , 2\t3'])('a POST of %j is a list', async (list) => {
    expect(await (await post(list)).text()).toBe('1: not prime\n2: prime\n3: prime\n');
  });

  test('n may be repeated', async () => {
    expect(await (await fetch(`${service.url}/?n=5&n=6`)).text()).toBe('5: prime\n6: not prime\n');
  });

  test('the primes among a thousand numbers are those that a sieve finds', async () => {
    const known = sieve(1000);
    const lines = Array.from({ length: 1000 }, (_, n) => `${n}: ${known.has(n) ? 'prime' : 'not prime'}\n`);
    const answer = await post(Array.from({ length: 1000 }, (_, n) => n).join(','));
    expect(await answer.text()).toBe(lines.join(''));
  });

  test.each([
    ['/', '""'],
    ['/?n=', '""'],
    ['/?n=7,,8', '""'],
    ['/?n=7,seven', '"seven"'],
    ['/?n=-7', '"-7"'],
    ['/?n=7.0', '"7.0"'],
    ['/?n=1e3', '"1e3"'],
    ['/?n=0x7', '"0x7"'],
    ['/?n=9007199254740992', '"9007199254740992"'],
    [`/?n=${'9'.repeat(500)}`, `"${'9'.repeat(40)}…"`],
    [`/?n=${'1,'.repeat(1000)}1`, 'got 1001'],
  ])('GET %s is a 400 that says %s', async (path, value) => {
    const response = await fetch(service.url + path);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(value);
  });

  test('a list that is too long for any thousand numbers is a 413', async () => {
    const response = await post('1'.repeat(32 * 1024 + 1));
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('32768');
  });

  test('HEAD has the status of GET and no body', async () => {
    const response = await fetch(`${service.url}/?n=7`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('PUT is a 405 that names what is allowed', async () => {
    const response = await fetch(service.url, { method: 'PUT', body: '7' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    await response.text();
  });

  test('a short list is answered while a long one is still being worked on, and that one as far as it is known', async () => {
    const leaving = new AbortController();
    const long = await post(Array(1000).fill(slowest).join(), leaving.signal);
    const reader = long.body!.getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value!).toString()).toMatch(/^9007199254740881: prime\n/);
    expect(await (await fetch(`${service.url}/?n=7`)).text()).toBe('7: prime\n');
    leaving.abort();
    await expect(reader.read()).rejects.toThrow('aborted');
  });

  test('a client that closes half of its connection is told that the rest was given up', async () => {
    const list = Array(100).fill(slowest).join();
    const answer = await service.exchange(
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${list.length}\r\n\r\n${list}`,
    );
    expect(answer).toContain('error: the rest was given up\n');
  });

  test('when the client leaves, the threads stop in the middle of its list, and serve the next one', async () => {
    const tsgun = start(file);
    const [worker] = await tsgun.workers(1);
    const leaving = new AbortController();
    const body = Array(1000).fill(slowest).join();
    const response = await fetch(await tsgun.url(), { method: 'POST', body, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    // The list has minutes of work: without work, half a second takes next to nothing.
    await eventually(async () => {
      const before = cpuTicks(worker!);
      await setTimeout(500);
      return cpuTicks(worker!) - before < 10;
    });
    expect((await tsgun.get('/?n=7,8')).text).toBe('7: prime\n8: not prime\n');
    expect((await tsgun.stop()).code).toBe(0);
    expect(tsgun.lines('request_failed')).toEqual([]);
  });

  test('a worker that drains answers the list that it has begun, and leaves with its threads', async () => {
    const tsgun = start(file);
    await tsgun.workers(1);
    // More than there are threads: some wait. No more, as `--graceful-timeout` would end them on a busy machine.
    const count = availableParallelism() + 2;
    const body = Array(count).fill(slowest).join();
    const response = await fetch(await tsgun.url(), { method: 'POST', body });
    const reader = response.body!.getReader();
    let answer = Buffer.from((await reader.read()).value!).toString();
    const stopped = tsgun.stop();
    for (let step = await reader.read(); !step.done; step = await reader.read())
      answer += Buffer.from(step.value).toString();
    expect(answer).toBe(`${slowest}: prime\n`.repeat(count));
    expect((await stopped).code).toBe(0);
    expect(tsgun.lines('worker_exited')).toMatchObject([{ code: 0, signal: null, reason: 'shutdown' }]);
  });
});
