/** What the access log is told of requests that the watchdog has answered. */

import { connect, createServer, type Socket } from 'node:net';
import { expect, describe as group, it } from 'vitest';
import { describe } from '../../../src/worker/watchdog/answered.ts';
import type { Answered } from '../../../src/worker/watchdog/answers.ts';
import { parsePeers, peersOf } from '../../../src/worker/watchdog/peers.ts';
import { onTestFinished } from '../../current.ts';

const entry = (descriptor: number, path: string, ms: number, method = 'GET') => ({
  key: path,
  method,
  path,
  ms,
  descriptor,
});
const tell = (answered: readonly Answered[], entries: readonly ReturnType<typeof entry>[] = []) =>
  describe(answered, entries, 700, () => new Map([[10, { address: '192.0.2.1', port: '99' }]]));

group('a request that was answered in its worker’s place', () => {
  it('is the one of its connection, whichever began first', () => {
    const entries = [entry(12, '/tls', 9000), entry(11, '/b', 800, 'POST'), entry(10, '/a', 50)];
    expect(
      tell(
        [
          { fd: 10, unread: '' },
          { fd: 11, unread: '' },
        ],
        entries,
      ),
    ).toMatchObject([
      { method: 'GET', path: '/a', ms: 50, address: '192.0.2.1', port: '99' },
      { method: 'POST', path: '/b', ms: 800, address: '', port: '' },
    ]);
  });

  it.each([
    ['GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n', { method: 'GET', path: '/a', query: 'b=c', minorVersion: 1 }],
    ['\r\nPUT /a HTTP/1.0\r\n', { method: 'PUT', path: '/a', query: '', minorVersion: 0 }],
    ['GET /a HT', { method: '', path: '' }],
    ['\x16\x03\x01 nonsense', { method: '', path: '' }],
    ['', { method: '', path: '' }],
  ])('and that was not read is known by its request line (%j)', (unread, known) => {
    // An entry of the same descriptor is of the request before it.
    expect(tell([{ fd: 10, unread }], unread === '' ? [] : [entry(10, '/before', 1)])).toMatchObject([
      { ...known, ms: 700 },
    ]);
  });
});

group('the other end of a connection', () => {
  it.each([
    ['0100007F:1F90', { address: '127.0.0.1', port: '8080' }],
    ['00000000000000000000000001000000:0050', { address: '::1', port: '80' }],
    ['0000000000000000FFFF00000100007F:1F90', { address: '::ffff:127.0.0.1', port: '8080' }],
    ['B80D0120000000000000000001000000:FFFF', { address: '2001:db8::1', port: '65535' }],
  ])('is read from /proc/net/tcp (%s)', (remote, peer) => {
    const line = (inode: number) =>
      `   0: 0100007F:1F40 ${remote} 01 00000000:00000000 00:00000000 00000000  0  0 ${inode} 1 0`;
    const text = ['  sl  local_address rem_address', line(5), line(7), line(9), ''].join('\n');
    expect(parsePeers(text, new Set([7]))).toEqual(new Map([[7, peer]]));
  });

  it.runIf(process.platform === 'linux')('is found for a descriptor of this process', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((go) => server.once('listening', go));
    const client = connect((server.address() as { port: number }).port, '127.0.0.1');
    const accepted = await new Promise<Socket>((go) => server.once('connection', go));
    onTestFinished(() => {
      client.destroy();
      accepted.destroy();
      server.close();
    });
    const { fd } = (accepted as Socket & { _handle: { fd: number } })._handle;
    expect(peersOf([fd, 0])).toEqual(new Map([[fd, { address: '127.0.0.1', port: String(client.localPort) }]]));
  });
});
