import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { AdminListener } from '../../../src/master/admin/listener.ts';
import { onTestFinished } from '../../current.ts';
import { Client } from '../../http/client.ts';
import { makeFolder } from '../../integration/harness.ts';

const log = createLogger({ errorLogfile: '/dev/null', logLevel: 'info', logFormat: 'json' });

/** A listener that answers each request with its target. */
async function open(host = '127.0.0.1', isPublic = false, port = 0) {
  const listener = new AdminListener({ where: { kind: 'tcp', host, port }, isPublic }, log);
  listener.serve(({ target }) => ({ status: 200, type: 'text/plain', body: target }), log);
  onTestFinished(() => listener.close());
  await listener.open();
  const { port: got } = listener.socket!.address() as { port: number };
  return { listener, port: got };
}

describe('the admin listener', () => {
  it('answers GET and HEAD, each connection several', async () => {
    const { port } = await open();
    const client = await Client.open(port);
    client.send('GET /one HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until(/\/one$/);
    const answer = await client.exchange('HEAD /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/Content-Length: 4\r\n/);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it('does not wait for a body', async () => {
    const { port } = await open();
    const client = await Client.open(port);
    const answer = await client.exchange('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\nx');
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n/s);
  });

  it('refuses a head that is too large, and what is no HTTP', async () => {
    const { port } = await open();
    const large = await Client.open(port);
    expect(await large.exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    const wrong = await Client.open(port);
    expect(await wrong.exchange('\0\0\0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  });

  it('answers beside a thousand connections that say nothing', async () => {
    const { port, listener } = await open();
    const idle: Socket[] = [];
    onTestFinished(() => {
      for (const socket of idle) socket.destroy();
    });
    for (let count = 0; count < 1000; count++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      idle.push(socket);
      await new Promise((resolve) => socket.once('connect', resolve));
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/still`)).text()).toBe('/still');
    const count = await new Promise((resolve) => listener.socket!.getConnections((_, number) => resolve(number)));
    expect(count).toBeLessThanOrEqual(101);
  });

  it('cuts a client whose head does not come', { timeout: 15_000 }, async () => {
    const { port } = await open();
    const client = await Client.open(port);
    expect(await client.exchange('GET / HTTP/1.1\r\nHost:')).toMatch(/^(HTTP\/1.1 408 .*)?/s);
  });

  it('answers clients that come before the master runs once it does', async () => {
    const listener = new AdminListener({ where: { kind: 'tcp', host: '127.0.0.1', port: 0 }, isPublic: false }, log);
    onTestFinished(() => listener.close());
    await listener.open();
    const { port } = listener.socket!.address() as { port: number };
    const asked = fetch(`http://127.0.0.1:${port}/early`);
    listener.serve(({ target }) => ({ status: 200, type: 'text/plain', body: target }), log);
    expect(await (await asked).text()).toBe('/early');
  });

  it('says that its address is in use, and by which setting it is changed', async () => {
    const { port } = await open();
    await expect(open('127.0.0.1', false, port)).rejects.toThrow(
      `adminBind: 127.0.0.1:${port} is in use by another process: stop that one, or take another port with --admin-bind`,
    );
  });

  it('is refused if its host name stands for an address that other machines reach', async () => {
    await expect(open('0.0.0.0')).rejects.toThrow(/0\.0\.0\.0 .*add --admin-public/);
    await expect(open('0.0.0.0', true)).resolves.toBeDefined();
  });

  it('takes the place of a unix socket of another master, which does not remove it when it closes', async () => {
    const path = `${makeFolder().path}/admin.sock`;
    const make = (name: string) => {
      const listener = new AdminListener({ where: { kind: 'unix', path }, isPublic: false }, log);
      listener.serve(() => ({ status: 200, type: 'text/plain', body: name }), log);
      onTestFinished(() => listener.close());
      return listener;
    };
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        let text = '';
        const socket = connect(path)
          .on('error', reject)
          .on('data', (bytes) => (text += bytes));
        socket.once('close', () => resolve(text.split('\r\n\r\n')[1]!));
        socket.write('GET / HTTP/1.0\r\n\r\n');
      });
    const old = make('old');
    await old.open();
    expect(await ask()).toBe('old');
    const young = make('young');
    await expect(young.open()).rejects.toThrow(/is in use/);
    await young.open(true);
    expect(old.isOpen).toBe(false);
    old.release();
    expect(await ask()).toBe('young');
    young.close();
    await expect(ask()).rejects.toThrow(/ENOENT/);
    await old.open();
    expect(await ask()).toBe('old');
  });
});
