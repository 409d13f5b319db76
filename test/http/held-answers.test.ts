/** What is held for slow clients, of all connections together: the running total is the sum, whatever happens to them. */

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wsgiHandler } from '../../src/app/wsgi/wsgi.ts';
import { createListener } from '../../src/http/accept.ts';
import { Trusted } from '../../src/http/forwarding/trust.ts';
import { HeldAnswers, type HeldShare } from '../../src/http/held-answers.ts';
import { defaultLimits, defaultTimeouts } from '../../src/http/limits.ts';
import { HttpServer } from '../../src/http/server.ts';
import { openWire } from '../../src/http/wire/open-wire.ts';
import type { Incoming, Wire, WireEvents } from '../../src/http/wire/wire.ts';
import { takeConnections } from '../../src/node/accept.ts';
import { onTestFinished } from '../current.ts';
import { eventually, makeFolder } from '../integration/harness.ts';

class Entering implements WireEvents {
  readonly share: HeldShare;
  isClosed = false;
  private readonly buffer = Buffer.alloc(64);

  constructor(held: HeldAnswers) {
    this.share = held.open();
  }
  nextBuffer(): Buffer {
    return this.buffer;
  }
  takeBytes(): void {}
  takeEnd(): void {}
  takeDrain(): void {}
  takeClose(): void {
    this.isClosed = true;
  }
}

interface Pair {
  readonly client: Socket;
  readonly wire: Wire;
  readonly events: Entering;
}

/** @param isHandle whether accepted connections come as libuv's handles, or as Sockets */
async function opener(isHandle: boolean): Promise<(held: HeldAnswers) => Promise<Pair>> {
  // The kernel takes little there, and always as much.
  const path = join(makeFolder({}).path, 'a.sock');
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  let arrive: (incoming: Incoming) => void = () => {};
  if (isHandle) expect(takeConnections(server, (handle) => arrive(handle))).toBe(true);
  else server.on('connection', (socket) => arrive(socket));
  return async (held) => {
    const arrived = new Promise<Incoming>((resolve) => {
      arrive = resolve;
    });
    const client = connect({ path, allowHalfOpen: true });
    client.on('error', () => {});
    const events = new Entering(held);
    const wire = openWire(await arrived, events);
    onTestFinished(() => {
      wire.destroy();
      client.destroy();
    });
    return { client, wire, events };
  };
}

const which = fc.nat({ max: 2 });
const size = fc.oneof(fc.nat({ max: 2000 }), fc.integer({ min: 60_000, max: 1_000_000 }));
const step = fc.oneof(
  fc.record({ do: fc.constant('text' as const), which, size: fc.nat({ max: 100_000 }) }),
  fc.record({ do: fc.constant('together' as const), which, size }),
  fc.record({ do: fc.constantFrom('read', 'stop', 'wait', 'end', 'leave', 'destroy', 'cut'), which }),
  fc.record({ do: fc.constantFrom('read', 'stop', 'wait'), which }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(pair: Pair, { do: what, ...more }: Step): void {
  const { client, wire } = pair;
  const bytes = 'size' in more ? more.size : 0;
  if (what === 'text') wire.write('x'.repeat(bytes));
  else if (what === 'together') wire.writeTogether('head', Buffer.alloc(bytes), bytes % 2 === 0 ? '' : 'tail');
  else if (what === 'read') client.on('data', () => {}).resume();
  else if (what === 'stop') client.pause();
  else if (what === 'end') wire.end();
  else if (what === 'leave') client.destroy();
  else if (what === 'destroy') wire.destroy();
  else if (what === 'cut') wire.cut();
}

describe.each([
  ['handles', true],
  ['Sockets', false],
])('the running total over %s', (_, isHandle) => {
  it('is the sum at every step, and nothing in the end', async () => {
    const open = await opener(isHandle);
    let most = 0;
    const world = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const held = new HeldAnswers(1);
      const pairs = await Promise.all([await open(held), await open(held), await open(held)]);
      const check = () => {
        const open = pairs.filter(({ wire }) => !wire.isDestroyed);
        expect(held.bytes).toBe(open.reduce((sum, { wire }) => sum + wire.pendingBytes, 0));
        most = Math.max(most, held.bytes);
      };
      for (const step of steps) {
        take(pairs[step.which]!, step);
        // A stream that is destroyed gives its memory back when it is closed.
        if (isHandle || pairs.every(({ wire, events }) => wire.isDestroyed === events.isClosed)) check();
        if (step.do === 'wait') await setImmediate();
        await setImmediate();
        if (pairs.every(({ wire, events }) => wire.isDestroyed === events.isClosed)) check();
      }
      for (const { client } of pairs) client.on('data', () => {}).resume();
      await eventually(() => pairs.every(({ wire }) => wire.isDestroyed || wire.pendingBytes === 0));
      await eventually(() => pairs.every(({ wire, events }) => wire.isDestroyed === events.isClosed));
      check();
      for (const { client, wire } of pairs) {
        wire.destroy();
        client.destroy();
      }
      await eventually(() => pairs.every(({ events }) => events.isClosed));
      expect(held.bytes).toBe(0);
    });
    const large = Array.from({ length: 5 }, () => ({ which: 0, do: 'text', size: 400_000 }) as const);
    await fc.assert(world, { numRuns: 25, examples: [[[{ which: 0, do: 'stop' }, ...large]]] });
    expect(most).toBeGreaterThan(1_000_000);
  });
});

it.each(['taken', 'given up'])('streams of HTTP/2 count, until their answers are %s', async (end) => {
  const heldAnswers = new HeldAnswers(1);
  const app = (_: unknown, startResponse: (status: string, fields: [string, string][]) => unknown) => {
    startResponse('200 OK', []);
    return Array(30).fill(Buffer.alloc(100_000));
  };
  const server = new HttpServer({
    limits: defaultLimits,
    timeouts: defaultTimeouts,
    handle: wsgiHandler(app, { multithread: false, multiprocess: false, onErrorLine: () => {} }),
    onFailure: () => {},
    heldAnswers,
    http2: { knowing: new Trusted(['*']), withHttp1: true, onFlood: () => {} },
  });
  onTestFinished(() => server.destroy());
  const listener = createListener(server).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const session = connectHttp2(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  const streams = [session.request(), session.request()].map((stream) => stream.on('error', () => {}));
  await eventually(() => heldAnswers.bytes > 0);
  if (end === 'given up') session.destroy();
  else for (const stream of streams) stream.resume();
  await eventually(() => heldAnswers.bytes === 0);
});
