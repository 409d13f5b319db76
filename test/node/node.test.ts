/** Whether this Node still has what `src/node/` uses. Where it has not, tsgun works without, but slower. */

import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { acceptOn, takeConnections } from '../../src/node/accept.ts';
import { bindHandle, bindPath, canBindForOthers, inheritedHandle, listenOn } from '../../src/node/bind.ts';
import { openCopier } from '../../src/node/copier.ts';
import type { ConnectionHandle } from '../../src/node/handles.ts';
import { lazyReadable } from '../../src/node/lazy-readable.ts';
import { onTestFinished } from '../current.ts';

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

  it('makes a stream when it is first looked at', async () => {
    class Numbers extends Readable {
      declare left: number;
      override _read() {
        this.push(this.left > 0 ? String(this.left--) : null);
      }
    }
    const begun: number[] = [];
    const make = lazyReadable<number, Numbers>(Numbers, (stream, left) => {
      begun.push(left);
      stream.left = left;
    });
    const [unseen, read, heard, destroyed] = [1, 3, 2, 4].map((count) => make!(count));
    expect(unseen).toBeInstanceOf(Numbers);
    expect(unseen!.constructor).toBe(Numbers);
    expect(begun).toEqual([]);
    expect(Buffer.concat(await read!.toArray()).toString()).toBe('321');
    const pieces: string[] = [];
    heard!.setEncoding('latin1').on('data', (piece) => pieces.push(piece));
    await once(heard!, 'end');
    expect(pieces.join('')).toBe('21');
    expect(heard!.destroyed).toBe(true);
    destroyed!.destroy(new Error('no more'));
    expect((await once(destroyed!, 'error'))[0]).toMatchObject({ message: 'no more' });
    expect(begun).toEqual([3, 2, 4]);
  });

  it('says which address is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    expect(bindHandle('127.0.0.1', (other.address() as AddressInfo).port, 4)).toBeLessThan(0);
    other.close();
  });

  it('leaves IPv4 to others where it is asked to', () => {
    const four = bindHandle('0.0.0.0', 0, 4);
    if (typeof four === 'number') throw new Error(`error ${four}`);
    const bound: { port?: number } = {};
    four.getsockname!(bound);
    const six = bindHandle('::', bound.port!, 6, true);
    if (typeof six === 'number') throw new Error(`error ${six}`);
    const listeners = [four, six].map(({ fd }) => {
      const listener = createServer();
      listenOn(listener, fd, 8);
      return listener;
    });
    return Promise.all(listeners.map((listener) => once(listener, 'listening'))).then(() => {
      for (const listener of listeners) listener.close();
    });
  });

  it('binds a path without listening, accepts on it by its descriptor, and leaves the file when it closes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
    const path = join(folder, 'a.sock');
    const bound = bindPath(path);
    if (typeof bound === 'number') throw new Error(`error ${bound}`);
    expect((await once(connect(path), 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(bindPath(path)).toBeLessThan(0);
    const listener = createServer();
    listenOn(listener, bound.fd, 8);
    await once(listener, 'listening');
    const taken = new Promise<ConnectionHandle>((resolve) => {
      expect(takeConnections(listener, resolve)).toBe(true);
    });
    const client = connect(path);
    const { handle } = await taken;
    const socket = new Socket({ handle } as SocketConstructorOpts);
    socket.write('pong');
    expect(String((await once(client, 'data'))[0])).toBe('pong');
    client.destroy();
    socket.destroy();
    listener.close();
    await once(listener, 'close');
    expect(existsSync(path)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('closes a path that was bound and leaves its file, which may be another’s by then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
    const path = join(folder, 'a.sock');
    const bound = bindPath(path);
    if (typeof bound === 'number') throw new Error(`error ${bound}`);
    bound.close();
    expect(existsSync(path)).toBe(true);
    expect(() => bound.close()).toThrow('EBADF');
    rmSync(folder, { recursive: true });
  });

  it('says whether a descriptor is of TCP or a unix socket, and that a file is neither', () => {
    const tcp = bindHandle('127.0.0.1', 0, 4);
    if (typeof tcp === 'number') throw new Error(`error ${tcp}`);
    expect(inheritedHandle(tcp.fd)!.getsockname).toBeTypeOf('function');
    const file = openSync('package.json', 'r');
    expect(inheritedHandle(file)).toBeUndefined();
    closeSync(file);
  });

  it('opens what copies sockets without a connection that tracers of net.Socket see', async () => {
    const { connect } = Socket.prototype;
    let calls = 0;
    Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
      calls++;
      return Reflect.apply(connect, this, args);
    } as typeof connect;
    onTestFinished(() => {
      Socket.prototype.connect = connect;
    });
    expect(await openCopier()).toBeDefined();
    expect(calls).toBe(0);
  });

  it('copies a listening socket, of TCP and unix: one copy closes, connections wait, and another takes them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
    const path = join(folder, 'a.sock');
    const copy = await openCopier();
    const tcp = bindHandle('127.0.0.1', 0, 4);
    const pipe = bindPath(path);
    if (copy === undefined || typeof tcp === 'number' || typeof pipe === 'number') throw new Error('not to be had');
    const end: { port?: number } = {};
    tcp.getsockname!(end);
    for (const [source, target] of [
      [tcp, { port: end.port!, host: '127.0.0.1' }],
      [inheritedHandle(pipe.fd)!, { path }],
    ] as const) {
      const [first, second] = await Promise.all([copy(source), copy(source)]);
      const taken: string[] = [];
      const take = (name: string) => (handle: ConnectionHandle) => {
        taken.push(name);
        // From within: not one connection more.
        first!.close();
        handle.handle.close();
      };
      expect(acceptOn(first!, 8, take('first'))).toBe(0);
      const clients = [connect(target), connect(target)].map((client) => client.on('error', () => {}));
      await Promise.all(clients.map((client) => once(client, 'connect')));
      await Promise.race(clients.map((client) => once(client.resume(), 'close')));
      expect(taken).toEqual(['first']);
      const ends = Promise.all(clients.filter(({ closed }) => !closed).map((client) => once(client, 'close')));
      acceptOn(second!, 8, take('second'));
      await ends;
      expect(taken).toEqual(['first', 'second']);
      second!.close();
    }
    tcp.close();
    pipe.close();
    rmSync(folder, { recursive: true });
  });

  it('copies again and again without keeping descriptors', async () => {
    const copy = await openCopier();
    const tcp = bindHandle('127.0.0.1', 0, 4);
    if (copy === undefined || typeof tcp === 'number') throw new Error('not to be had');
    const fds = new Set<number>();
    for (let count = 0; count < 1000; count++) {
      const handle = (await copy(tcp))!;
      fds.add(handle.fd);
      await new Promise<void>((resolve) => (handle.close as (then: () => void) => void)(resolve));
    }
    expect(fds.size).toBeLessThan(20);
    tcp.close();
  });
});
