/** Whose turn it is in a sync worker, with handlers and connections that are made up. */

import { expect, it } from 'vitest';
import { nowhere } from '../../../src/http/ends.ts';
import { ClientGone } from '../../../src/http/errors.ts';
import { Exchange, type Transport } from '../../../src/http/exchange.ts';
import { RequestHead } from '../../../src/http/head.ts';
import { RequestTurns } from '../../../src/worker/classes/request-turns.ts';

const connection = () => ({ ends: { local: nowhere, remote: nowhere, scheme: 'http' } }) as unknown as Transport;

function ask(transport: Transport, target: string): Exchange {
  return new Exchange(Object.assign(new RequestHead(), { method: 'GET', target }), transport, 0);
}

it('a request that was pipelined behind one whose client has left does not wait for that', () => {
  const begun: string[] = [];
  // As a Node handler that answers later.
  const turns = new RequestTurns(
    ({ head }) => void begun.push(head.target),
    () => {},
  );
  const transport = connection();
  const first = ask(transport, '/1');
  turns.begin(first);
  first.abort(new ClientGone('the client closed the connection'));
  turns.begin(ask(transport, '/2'));
  turns.begin(ask(connection(), '/3'));
  expect(begun).toEqual(['/1', '/2']);
});
