/** HTTP/2 by the frame: what each section of its specifications asks of a server, and what Node's own makes of it. */

import { once } from 'node:events';
import { createServer as createNodeServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'tsgun';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, cases } from './cases.ts';
import { FrameClient } from './frames.ts';

type Req = AsyncIterable<Buffer> & { url: string };
type Res = { end(text?: string): void; writeEarlyHints(hints: object): void };

async function app(req: Req, res: Res): Promise<void> {
  if (req.url === '/wait') return;
  if (req.url === '/unread') return void (await sleep(50));
  if (req.url === '/later') await sleep(5);
  if (req.url === '/hints') res.writeEarlyHints({ link: '</a.css>; rel=preload' });
  for await (const _ of req);
  res.end('hello');
}

const own = createServer(
  app as never,
  {
    interface: 'node',
    http: ['h1', 'h2c'],
    limitRequestBody: 50_000,
    logLevel: 'fatal',
  } as never,
);
// Node's core API answers what its compatibility API would, where it comes to frames.
const node = createNodeServer((req, res) => void app(req as never, res as never).catch(() => {}));
let ports: { own: number; node: number };

beforeAll(async () => {
  const { port } = await own.listen();
  node.listen(0, '127.0.0.1');
  node.on('sessionError', () => {});
  await once(node, 'listening');
  ports = { own: port!, node: (node.address() as AddressInfo).port };
});
afterAll(async () => {
  node.close();
  await own.close();
});

/** @returns once it is as wanted, and what comes after a connection error cannot change it */
async function outcomeOf(port: number, { send }: Case, isWanted: (outcome: string) => boolean): Promise<string> {
  const client = await FrameClient.open(port);
  await client.until(() => client.settingsAcks > 0);
  client.send(...send);
  client.mark();
  // After a connection error the mark is not read.
  const isOver = () => client.isMarked || client.isClosed || client.goaway !== undefined;
  await client.until(() => isOver() && isWanted(client.outcome));
  client.socket.destroy();
  return client.outcome;
}

describe('frames of HTTP/2', () => {
  it.each(cases)('$section: $title', { concurrent: true }, async (each) => {
    const wanted = each.expected.split(' or ');
    expect(wanted).toContain(await outcomeOf(ports.own, each, (outcome) => wanted.includes(outcome)));
    // What is not as the specification has it is Node's own way.
    const kind = new RegExp(`^(${wanted.map((one) => one.split(' ', 1)[0]!).join('|')})`);
    if (each.rfc !== undefined)
      expect(await outcomeOf(ports.node, each, (outcome) => kind.test(outcome))).toMatch(kind);
  });

  it('are no fewer than 120 cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(120);
  });
});
