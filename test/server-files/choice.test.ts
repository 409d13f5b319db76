import { describe, expect, it } from 'vitest';
import { type Asked, nameAsked, readListen } from '../../src/app/server-files/asked.ts';
import { askedElsewhere, choose, conflictOf, type Own } from '../../src/app/server-files/choice.ts';

const callback = () => {};
const { signal } = new AbortController();

describe('a call of listen', () => {
  it.each<[unknown[], Asked]>([
    [[], { port: 0 }],
    [[callback], { port: 0, callback }],
    [[undefined, callback], { port: 0, callback }],
    [[3000], { port: 3000 }],
    [['3000', callback], { port: 3000, callback }],
    [[3000, 'localhost', 511, callback], { port: 3000, host: 'localhost', callback }],
    [[3000, 511, callback], { port: 3000, callback }],
    [['/run/app.sock'], { path: '/run/app.sock' }],
    [[{ port: 3000, host: '::1', exclusive: true }, callback], { port: 3000, host: '::1', callback }],
    [[{ port: '3000', signal }], { port: 3000, signal }],
    [[{ path: '/run/app.sock', readableAll: true }], { path: '/run/app.sock' }],
    [[{ port: undefined }], { port: 0 }],
    [[{ fd: 3 }], { fd: 3 }],
  ])('%j is read', (args, asked) => {
    expect(readListen(args)).toEqual(asked);
  });

  it.each([
    [[65_536]],
    [[-1]],
    [[{ port: 'http' }]],
    [[{}]],
    [[true]],
    [[{ _handle: {} }]],
    [[{ port: 1, signal: 1 }]],
  ])('%j is left to Node', (args) => {
    expect(readListen(args)).toBeUndefined();
  });

  it.each([
    [{ port: 3000 }, 'port 3000'],
    [{ port: 3000, host: '0.0.0.0' }, '0.0.0.0:3000'],
    [{ port: 3000, host: '::1' }, '[::1]:3000'],
    [{ path: '/a' }, '/a'],
  ])('%j is called %s', (asked, name) => {
    expect(nameAsked(asked)).toBe(name);
  });
});

describe('of several servers that listen, the app is', () => {
  const own: Own = { bound: [{ host: '127.0.0.1', port: 8000 }], port: '8000' };
  const http = (port: number, isClosed = false) => ({ isHttp: true, asked: { port }, isClosed });
  const net = (port: number, isClosed = false) => ({ isHttp: false, asked: { port }, isClosed });
  it.each([
    ['the one that asks for $PORT', [http(9100), net(5000), http(8000)], 2],
    ['the one that asks for $PORT, be it a net.Server', [http(9100), net(8000)], 1],
    ['else the first http.Server', [net(5000), http(9100), http(9200)], 1],
    ['else the first net.Server', [net(5000), net(6000)], 0],
    ['none that was closed again', [net(8000, true), http(3000, true), net(5000)], 2],
    ['none at all', [http(3000, true)], -1],
  ])('%s', (_, candidates, index) => {
    expect(choose(candidates, own)).toBe(candidates[index]);
  });
});

describe('what tsgun has already', () => {
  const bound = [{ host: '127.0.0.1', port: 8000 }, { host: '::1', port: 8001 }, { path: '/run/a.sock' }];
  it.each<[Asked, number]>([
    [{ port: 8000 }, 0],
    [{ port: 8000, host: '127.0.0.1' }, 0],
    [{ port: 8000, host: 'localhost' }, 0],
    [{ port: 8000, host: '0.0.0.0' }, 0],
    [{ port: 8001, host: '::' }, 1],
    [{ path: '/run/a.sock' }, 2],
    [{ port: 8000, host: '::1' }, -1],
    [{ port: 8001, host: '0.0.0.0' }, -1],
    [{ port: 8000, host: '192.0.2.1' }, -1],
    [{ port: 8002 }, -1],
    [{ port: 0 }, -1],
  ])('%j', (asked, index) => {
    expect(conflictOf({ bound }, asked)).toBe(bound[index]);
  });

  it('is not said to have been asked for elsewhere', () => {
    const own = { bound, port: '3000' };
    expect(askedElsewhere(own, { port: 3000 })).toBe(3000);
    expect(askedElsewhere(own, { path: '/x' })).toBe('/x');
    for (const asked of [{ port: 8000 }, { port: 0 }, { fd: 3 }, { path: '/run/a.sock' }])
      expect(askedElsewhere(own, asked)).toBeUndefined();
  });
});
