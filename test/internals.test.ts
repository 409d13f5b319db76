/** Whether this Node still has what `internals.ts` uses. Where it has not, tsgun works without, but slower. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bindHandle, type ConnectionHandle, canBindForOthers, readInto, takeConnections } from '../src/internals.ts';

describe(`Node ${process.version}`, () => {
  it('binds without listening, for others to accept on', async () => {
    expect(canBindForOthers).toBe(true);
    const handle = bindHandle('127.0.0.1', 0, 4);
    if (typeof handle === 'number') throw new Error(`error ${handle}`);
    const bound: { port?: number } = {};
    expect(handle.getsockname!(bound)).toBe(0);
    expect(handle.fd).toBeGreaterThan(2);
    const refused = connect(bound.port!, '127.0.0.1');
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    handle.close();
  });

  it('says which address is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    expect(bindHandle('127.0.0.1', (other.address() as AddressInfo).port, 4)).toBeLessThan(0);
    other.close();
  });

  it('gives connections as handles, and reads them into a buffer of ours', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const taken = new Promise<ConnectionHandle>((resolve) => {
      expect(takeConnections(listener, resolve)).toBe(true);
    });
    const client = connect(port, '127.0.0.1');
    const handle = await taken;
    const buffer = Buffer.alloc(64);
    let socket: Socket | undefined;
    const read = new Promise<string>((resolve) => {
      socket = readInto(
        () => buffer,
        handle,
        (bytes, length) => resolve(bytes.toString('latin1', 0, length)),
      );
    });
    socket!.resume();
    client.write('ping');
    expect(await read).toBe('ping');
    expect(buffer.toString('latin1', 0, 4)).toBe('ping');
    socket!.write('pong');
    expect(String((await once(client, 'data'))[0])).toBe('pong');
    client.destroy();
    socket!.destroy();
    await once(socket!, 'close');
    listener.close();
    await once(listener, 'close');
  });
});
