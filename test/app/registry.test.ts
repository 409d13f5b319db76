/** A new interface is one file and one line in the registry: here are two, and all that follows from their lines. */

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { loadInterfaces } from '../../src/app/interfaces.ts';
import { type AskedInterface, servedBy } from '../../src/app/names.ts';
import type { registry } from '../../src/app/registry.ts';
import { resolveSettings } from '../../src/config/load.ts';
import { table } from '../../src/config/settings.ts';
import { schemeExpected } from '../../src/config/values/tls.ts';
import { createServer } from '../../src/embed/server.ts';
import type { ServerSettings } from '../../src/embed/settings.ts';
import { Observers } from '../../src/http/observers.ts';
import { Shortages } from '../../src/ipc/shortages.ts';
import { createLogger } from '../../src/logger.ts';
import { bindHandle } from '../../src/node/bind.ts';
import type { ServerHandle } from '../../src/node/handles.ts';
import { loadClass } from '../../src/worker/classes/registry.ts';
import { failureApp } from '../../src/worker/failure/app.ts';

vi.mock('../../src/app/registry.ts', async (original) => {
  const known = await original<{ registry: typeof registry }>();
  const { answers, greets } = await import('./made-up-interfaces.ts');
  return { registry: { ...known.registry, answers, greets } };
});

const named = (name: string) => name as AskedInterface;
const apps = { answers: (path: string) => `answered ${path}\n`, greets: () => 'greeted\n' };

async function ask(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  return text(socket);
}

describe('an interface in the registry', () => {
  it('can be asked for by its names, and is in the help', () => {
    expect(table.interface.parse('answers')).toBe('answers');
    expect(table.interface.help).toContain('tcp, answers, greets');
    expect(table.interface.more).toContain('answers: (path) => text.');
    const { problems } = resolveSettings([{ name: 'test', values: { interface: 'reply' } }]);
    expect(problems).toEqual([expect.stringContaining('write answers')]);
  });

  it('says what is spoken before its app is loaded, what a hook is told too', () => {
    expect(schemeExpected(named('greets'), 'app.js')).toBe('tcp');
    expect(schemeExpected('auto', 'app.js:greet')).toBe('tcp');
    expect(schemeExpected(named('answers'), 'app.js:greet')).toBe('http');
  });

  it('has the error page of its kind in its place, where the app cannot be loaded', () => {
    const instead = (name: string) => failureApp({ name: 'Error', message: 'no app' }, servedBy(named(name)));
    expect(instead('answers').interface).toBe('wsgi');
    expect(instead('greets').interface).toBe('tcp');
  });

  it('serves in this process, and its URL says what is spoken', async () => {
    for (const [name, scheme, answer] of [
      ['answers', 'http', 'answered /x\n'],
      ['greets', 'tcp', 'greeted\n'],
    ] as const) {
      const settings = { interface: name as string } as ServerSettings;
      const server = createServer(apps[name] as never, settings);
      const { url, port } = await server.listen();
      expect(url).toBe(`${scheme}://127.0.0.1:${port}`);
      expect(await ask(port)).toContain(answer);
      await server.close();
    }
  });

  it.each([
    ['async', 'answers', 'answered /x\n'],
    ['sync', 'answers', 'answered /x\n'],
    ['async', 'greets', 'greeted\n'],
    ['sync', 'greets', 'greeted\n'],
  ] as const)('serves in a worker of the %s class: %s', async (workerClass, name, answer) => {
    // As in a master. The worker closes it.
    const { fd } = bindHandle('127.0.0.1', 0, 4) as ServerHandle;
    const { settings } = resolveSettings([{ name: 'test', values: { workerClass, interface: name } }]);
    const asked = named(name);
    const begun: string[] = [];

    await loadInterfaces(asked);
    const makeWorker = await loadClass(workerClass, servedBy(asked));
    const worker = makeWorker({
      app: apps[name],
      asked,
      source: { app: 'made-up' },
      settings,
      sockets: [{ address: 'made-up', fd }],
      log: createLogger(settings),
      shortages: new Shortages(),
      observers: new Observers(),
      observe: (handle) => (exchange) => {
        begun.push('request');
        return handle(exchange);
      },
      track: (handle) => handle,
      onBegin: () => {
        begun.push('connection');
        return () => begun.push('its end');
      },
    });
    await worker.start();
    expect(await ask(Number(worker.serving.servers[0]!.local.port))).toContain(answer);
    await worker.stopAccepting(false);
    await worker.drain(0);
    expect(worker.interface).toBe(name);
    expect(worker.serving.stats()).toEqual({ requests: 1, accepted: 1, connections: 0 });
    expect(begun).toEqual(name === 'greets' ? ['connection', 'its end'] : ['request']);
  });
});
