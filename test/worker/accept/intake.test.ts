/** How many connections a worker takes, beside others that are only entries on a scoreboard. */

import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { ConnectionServer } from '../../../src/http/accept.ts';
import { type End, nowhere } from '../../../src/http/ends.ts';
import type { Incoming } from '../../../src/http/wire/wire.ts';
import { Scoreboard, sharedClock } from '../../../src/ipc/scoreboard.ts';
import { Shortages } from '../../../src/ipc/shortages.ts';
import { bindHandle } from '../../../src/node/bind.ts';
import { ConnectionHandle, type ServerHandle } from '../../../src/node/handles.ts';
import { Intake } from '../../../src/worker/accept/intake.ts';
import { eventually, onTestFinished } from '../../current.ts';

/** An entry that counts as fresh for the whole test: it is from the near future. */
const later = () => sharedClock() + 60_000;

class MadeUpServer implements ConnectionServer {
  local: End = nowhere;
  connectionCount = 0;
  private readonly closing: (() => void)[] = [];

  serve(incoming: Incoming): void {
    this.connectionCount++;
    const connection = incoming instanceof ConnectionHandle ? incoming.handle : (incoming as Socket);
    this.closing.push(() => ('close' in connection ? connection.close() : connection.destroy()));
  }

  /** One connection ends. */
  end(): void {
    this.connectionCount--;
    this.closing.pop()?.();
  }
}

async function open(limit = 100) {
  const folder = mkdtempSync(join(tmpdir(), 'tsgun-test-'));
  const fd = openSync(join(folder, 'scoreboard'), 'wx+');
  const other = new Scoreboard({ fd, index: 1 });
  const own = new Scoreboard({ fd, index: 2 });
  const intake = new Intake({ limit, slot: { fd, index: 0 }, shortages: new Shortages() });
  const server = new MadeUpServer();
  const listening = bindHandle('127.0.0.1', 0, 4) as ServerHandle;
  await intake.open([{ address: 'made-up', fd: listening.fd }], [server], 16);
  const clients: Socket[] = [];
  onTestFinished(async () => {
    await intake.end(false, async () => {});
    for (const client of clients) client.destroy();
    while (server.connectionCount > 0) server.end();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return {
    intake,
    server,
    /** What another worker has. */
    post: (connections: number, isTaking = true) => other.write({ connections, isTaking, hasRoom: isTaking }, later()),
    /** The connections that this worker says it has, where it takes some. */
    said: () => {
      other.write({ connections: 0, isTaking: false, hasRoom: false }, later());
      return own.fewest(sharedClock(), 60_000);
    },
    /** Connects, as far as the kernel. */
    async arrive(count: number) {
      for (let index = 0; index < count; index++) {
        const client = connect({ port: Number(server.local.port), host: '127.0.0.1' });
        client.on('error', () => {});
        clients.push(client);
        await once(client, 'connect');
      }
    },
    end() {
      server.end();
      intake.forget();
    },
    /** It has so many, and takes no more in the next turns of the loop. */
    async has(count: number) {
      await eventually(() => server.connectionCount >= count);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      expect(server.connectionCount).toBe(count);
    },
  };
}

it('a worker takes all that comes while no other takes any, and says how many it has', async () => {
  const { arrive, has, said, post } = await open();
  post(0, false);
  await arrive(5);
  await has(5);
  await eventually(() => said() === 5);
});

it('a worker that is held takes nothing for a while, and then what waits', async () => {
  const { intake, server, arrive, has, post } = await open();
  post(0, false);
  await arrive(1);
  await has(1);
  // Long enough for a slow machine to see that nothing comes.
  intake.hold(1000);
  await arrive(2);
  await has(1);
  await eventually(() => server.connectionCount === 3);
});

it('a worker says at once that it has much more, and the rest in its time', async () => {
  const { arrive, has, said, post } = await open();
  post(0, false);
  await arrive(40);
  await has(40);
  expect(said()).toBeGreaterThanOrEqual(37);
  await eventually(() => said() === 40);
});

it('a worker that is ahead of the least loaded leaves what comes in the accept queue, until that one has more', async () => {
  const { arrive, has, post } = await open();
  post(0);
  await arrive(4);
  await has(2);
  post(2);
  await has(4);
});

it('a worker that is ahead takes the next one as soon as it has fewer', async () => {
  const { arrive, has, post, end } = await open();
  post(0);
  await arrive(3);
  await has(2);
  end();
  await has(2);
});

it('a worker that is paused leaves all to others, and takes all where there is none', async () => {
  const { intake, arrive, has, post } = await open();
  post(50);
  intake.pause();
  await arrive(3);
  await has(0);
  post(50, false);
  await has(3);
  post(50);
  intake.resume();
  await arrive(2);
  await has(5);
});

it('a worker that is paused beside others that are leaves what comes to the first that is not, for half a second', async () => {
  const { intake, arrive, has, post } = await open();
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
  onTestFinished(() => void now.mockRestore());
  post(50, false);
  intake.pause();
  await arrive(3);
  await has(0);
  now.mockReturnValue(1499);
  await has(0);
  now.mockReturnValue(1500);
  await has(3);
});

it('a full worker takes no more than it may, and the next one when one has ended', async () => {
  const { arrive, has, post, end, said } = await open(2);
  post(50);
  await arrive(3);
  await has(2);
  // A full one says that it takes none.
  await eventually(() => said() === Number.POSITIVE_INFINITY);
  end();
  await has(2);
});

it('at a stop a worker takes what waits, however many it has', async () => {
  const { intake, arrive, has, post, server } = await open();
  post(0);
  await arrive(4);
  await has(2);
  await intake.end(true, () => has(4));
  expect(server.connectionCount).toBe(4);
});
