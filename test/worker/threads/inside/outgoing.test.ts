import { expect, it } from 'vitest';
import { ClientGone } from '../../../../src/http/errors.ts';
import { Exchange } from '../../../../src/http/exchange.ts';
import { RequestHead } from '../../../../src/http/head.ts';
import { Outgoing } from '../../../../src/worker/threads/inside/outgoing.ts';
import type { Outlet } from '../../../../src/worker/threads/inside/outlet.ts';
import type { Shares } from '../../../../src/worker/threads/inside/shares.ts';

/** An answer of which the client has taken nothing yet. */
function writing() {
  const outlet = { answer: () => {} } as unknown as Outlet;
  const shares = { of: () => undefined } as unknown as Shares;
  const outgoing = new Outgoing(1, outlet, shares, () => -1);
  const exchange = new Exchange(new RequestHead(), { ends: {} } as never, 0);
  exchange.isStarted = true;
  outgoing.serves(exchange);
  outgoing.sendBytes('', Buffer.alloc(4_000_000), '', 0);
  const taken = new Promise<(Error & { code?: string }) | undefined>((resolve) => outgoing.whenTaken(resolve));
  return { outgoing, exchange, taken };
}

it('a callback that waits for the client gets the error that Node gives, if the client leaves', async () => {
  const cut = writing();
  cut.outgoing.drop();
  expect(await cut.taken).toMatchObject({ code: 'ECANCELED', syscall: 'write' });
  const ended = writing();
  ended.exchange.isEnded = true;
  ended.outgoing.sendLast(0);
  expect(ended.outgoing.takeOut(false)).toBe(true);
  expect(await ended.taken).not.toBeInstanceOf(ClientGone);
  expect(await ended.taken).toMatchObject({ code: 'ECANCELED', syscall: 'write' });
});

it('a callback that waits for the client gets no error, if the client has taken all', async () => {
  const { outgoing, exchange, taken } = writing();
  exchange.isEnded = true;
  outgoing.sendLast(0);
  outgoing.takeOut(true);
  expect(await taken).toBeUndefined();
});
