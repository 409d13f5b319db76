/** Clients that have left, of every class and interface: what they held is free, and nobody waits for them. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../src/worker/classes/registry.ts';
import { Client } from '../http/client.ts';
import { start, type Tsgun } from '../integration/harness.ts';

const app = fileURLToPath(new URL('./departed-app.ts', import.meta.url));
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const connections = 5;
const threads = 2;
/** How many requests run at once. */
const running: Record<string, number> = { sync: 1, threaded: threads, async: connections };
/** None of what usually ends a wait does here: these tests would end by their own timeout. */
const settings = ['--threads', threads, '--body-timeout', 0, '--keep-alive', 600, '--graceful-timeout', 600];

const interfaces = {
  node: ['/events', '/pipe', '/poll', '/returns', '/never'],
  wsgi: ['/events', '/poll', '/returns', '/never'],
  fetch: ['/events', '/poll', '/returns', '/never'],
};
const table = Object.keys(registry).flatMap((workerClass) =>
  Object.entries(interfaces).map(([name, paths]) => ({ workerClass, name, paths })),
);

describe.concurrent.each(table)('a $workerClass worker, $name', ({ workerClass, name, paths }) => {
  const count = (tsgun: Tsgun, text: string) => tsgun.stdout.split('\n').filter((line) => line === text).length;
  const begin = (isShared: boolean, ...more: readonly (string | number)[]) => {
    const common = ['--interface', name, '--worker-class', workerClass, '--worker-connections', connections];
    const args = [...common, ...settings, ...more];
    return start(`${app}:${name}`, args.map(String), { isShared });
  };

  /** Fills all places; the clients end their half, and never more than that: nobody is reset. */
  async function fill(tsgun: Tsgun, path: string): Promise<Client[]> {
    const begun = count(tsgun, `begun ${path}`);
    const { hostname, port } = new URL(await tsgun.url());
    const clients = await Promise.all(
      Array.from({ length: workerClass === 'sync' ? 1 : connections }, () => Client.open(Number(port), hostname, true)),
    );
    for (const client of clients) client.send(get(path));
    await tsgun.until(() => count(tsgun, `begun ${path}`) === begun + running[workerClass]!, `${path} to run`);
    for (const client of clients) client.socket.end();
    return clients;
  }

  describe('with clients that have left in all its places', { concurrent: false }, () => {
    let tsgun: Tsgun;
    beforeAll(async () => {
      tsgun = begin(true);
      await tsgun.workers(1);
    });
    afterAll(async () => {
      expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
      expect(tsgun.lines('worker_spawned')).toHaveLength(1);
      expect(tsgun.lines('request_failed')).toEqual([]);
    });

    it.each(paths)('%s: answers the next one, and the app has heard that they left', async (path) => {
      const left = count(tsgun, `left ${path}`);
      const clients = await fill(tsgun, path);
      expect(await tsgun.ask('/quick')).toBe('quick');
      await tsgun.until(() => count(tsgun, `left ${path}`) >= left + running[workerClass]!, `${path} to hear of it`);
      await Promise.all(clients.map(({ closed }) => closed));
    });

    it.each(name === 'node' ? ['/quick', '/computes'] : ['/quick', '/computes', '/soon'])(
      '%s: answers one that has only closed its half',
      async (path) => {
        const { hostname, port } = new URL(await tsgun.url());
        const client = await Client.open(Number(port), hostname, true);
        client.socket.end(get(path));
        await client.closed;
        expect(client.received).toMatch(/^HTTP\/1\.1 200 [\s\S]*(quick|computed|soon)$/);
      },
    );

    it.runIf(name === 'node').each(['/ends-socket', '/ends-socket-later', '/destroys-request'])(
      '%s: an app that wants no more of the connection is rid of it after its answer',
      async (path) => {
        expect(await (await tsgun.connect()).exchange(get(path))).toMatch(/whole/);
      },
    );

    it('runs what came whole from a client that has left meanwhile', async () => {
      const { hostname, port } = new URL(await tsgun.url());
      const open = () => Client.open(Number(port), hostname, true);
      // In the sync class it waits in the worker then, which has seen its connection before the others.
      const departed = await open();
      await sleep(100);
      const busy = await Promise.all(Array.from({ length: Math.min(running[workerClass]!, 3) }, open));
      for (const client of busy) client.send(get('/busy'));
      await tsgun.until(() => count(tsgun, 'begun /busy') === busy.length, 'all to be busy');
      departed.socket.end(post('/effect', 'of who left'));
      await tsgun.until(() => count(tsgun, 'effect of who left') === 1, 'the effect');
      for (const client of busy) await client.until(/no longer busy/);
      for (const client of busy) client.socket.destroy();
      await departed.closed;
    });
  });

  it('a hundred that gave up together, and wait in the accept queue, cost the next one no more than one of them', async () => {
    const tsgun = begin(false, '--worker-connections', 1000);
    await tsgun.workers(1);
    const { hostname, port } = new URL(await tsgun.url());
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const client = await Client.open(Number(port), hostname, true);
        client.socket.end(get('/never'));
      }),
    );
    // One after the other, with a second for each, they would outlast this test.
    expect(await tsgun.ask('/quick')).toBe('quick');
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  // In a thread, an error that escapes costs the thread.
  it.skipIf(workerClass === 'threaded')('a worker that is replaced after a crash does not wait for them', async () => {
    const tsgun = begin(false);
    const [pid] = await tsgun.workers(1);
    await fill(tsgun, '/crash');
    expect(await tsgun.event('worker_exited')).toMatchObject({ pid, reason: 'crashed' });
    await tsgun.workers(2);
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
  });

  it('a stop lets what came whole from a client that has left take effect', async () => {
    const tsgun = begin(false);
    await tsgun.workers(1);
    const { hostname, port } = new URL(await tsgun.url());
    const client = await Client.open(Number(port), hostname, true);
    client.socket.end(post('/slow-effect', 'of who left'));
    await tsgun.until(() => count(tsgun, 'begun /slow-effect') === 1, 'it to run');
    // Until its body was read; in node:http, the end of the client ends that too.
    if (name === 'node') await client.closed;
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(count(tsgun, 'effect of who left')).toBe(1);
  });

  it('a stop does not wait for clients that have left, whatever they had asked for', async () => {
    const all = workerClass === 'threaded' ? [...paths, '/blocks'] : paths;
    // As many places as paths: workers where each has one.
    const places = { sync: ['--workers', all.length], threaded: ['--threads', all.length], async: [] };
    const limit = workerClass === 'sync' ? [] : ['--worker-connections', all.length];
    const tsgun = begin(false, ...places[workerClass as keyof typeof places], ...limit);
    await tsgun.workers(workerClass === 'sync' ? all.length : 1);
    for (const path of all) {
      const client = await tsgun.connect();
      client.send(get(path));
      await tsgun.until(() => count(tsgun, `begun ${path}`) === 1, `${path} to run`);
      client.socket.end();
    }
    expect(await tsgun.stop()).toEqual({ code: 0, signal: null });
    expect(tsgun.log.filter(({ msg }) => msg.startsWith('out of time'))).toEqual([]);
  });
});
