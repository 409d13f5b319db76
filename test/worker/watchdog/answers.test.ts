import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerClaims } from '../../../src/http/wire/answer-claims.ts';
import { type Answered, answerClients, type DescriptorIo, drainClients } from '../../../src/worker/watchdog/answers.ts';

const again = () => {
  throw Object.assign(new Error('read EAGAIN'), { code: 'EAGAIN' });
};

/** Descriptors with what lies unread in the kernel, and what is written to them. */
function madeUp(unread: Record<number, number>, isGone = (_fd: number) => false) {
  const written: number[] = [];
  const io: DescriptorIo = {
    read(fd, buffer) {
      const count = Math.min(unread[fd] ?? 0, buffer.length);
      if (count === 0) return again();
      unread[fd]! -= count;
      return count;
    },
    write(fd) {
      if (isGone(fd)) throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
      written.push(fd);
    },
  };
  return { io, written, unread };
}

const descriptors = (answered: readonly Answered[]) => answered.map(({ fd }) => fd);

describe('a hung worker’s clients', () => {
  it('are answered if they have sent a request, read or not, and have had no byte of its answer', () => {
    const claims = new AnswerClaims();
    const [, read, , begun] = [10, 11, 12, 13].map((fd) => claims.open(fd)!);
    read?.noteRequest();
    begun?.noteRequest();
    begun?.mayWrite();
    const { io, written } = madeUp({ 12: 100, 13: 100 });
    expect(descriptors(answerClients(claims, io))).toEqual([11, 12]);
    expect(written).toEqual([11, 12]);
  });

  it('are all answered, though one of them has gone', () => {
    const claims = new AnswerClaims();
    for (const fd of [10, 11, 12]) claims.open(fd)!.noteRequest();
    expect(descriptors(answerClients(claims, madeUp({}, (fd) => fd === 11).io))).toEqual([10, 12]);
  });

  it('do not keep the watchdog with endless uploads', () => {
    const claims = new AnswerClaims();
    claims.open(10)!.noteRequest();
    const { io, written, unread } = madeUp({ 10: 2 ** 30 });
    drainClients(claims, answerClients(claims, io), io);
    expect(written).toEqual([10]);
    expect(unread[10]).toBe(2 ** 30 - 2 * 2 ** 20);
  });
});

describe('on a real socket', () => {
  let server: Server;
  let accepted: Socket;
  let client: Socket;

  beforeAll(async () => {
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
    await new Promise((go) => server.once('listening', go));
    client = connect((server.address() as { port: number }).port, '127.0.0.1');
    accepted = await new Promise<Socket>((go) => server.once('connection', go));
  });

  afterAll(async () => {
    client.destroy();
    await new Promise((go) => server.close(go));
  });

  it('an unread request gets a complete 503, and the close behind it is no reset', async () => {
    const claims = new AnswerClaims();
    claims.open((accepted as Socket & { _handle: { fd: number } })._handle.fd);
    let text = '';
    client.on('data', (bytes) => (text += bytes));
    const ended = new Promise((go, fail) => client.once('end', go).once('error', fail));
    await new Promise<void>((go) => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n', () => go()));
    // On loopback, what the kernel has taken is at the other end.
    expect(answerClients(claims)).toMatchObject([{ unread: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }]);
    accepted.destroy();
    await ended;
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(head).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(head).toMatch(/\r\nConnection: close$/);
    expect(head).toContain(`\r\nContent-Length: ${body.length}\r\n`);
  });
});
