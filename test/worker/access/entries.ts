/** Requests that are over, made up. */

import { lookUpField } from '../../../src/http/fields.ts';
import { RequestHead } from '../../../src/http/head.ts';
import type { Entry, Origin } from '../../../src/worker/access/entry.ts';

export const origin: Origin = { pid: 42, worker: 3, class: 'async', requestIdHeader: 'x-request-id' };

export function madeUpHead(head: Partial<RequestHead> = {}, fields: readonly (readonly [string, string])[] = []) {
  const made = Object.assign(new RequestHead(), {
    method: 'GET',
    target: '/a%20b?c=d',
    path: '/a%20b',
    query: 'c=d',
    ...head,
  });
  for (const [name, value] of fields) {
    made.names.push(lookUpField(name)!);
    made.values.push(value);
  }
  return made;
}

export function madeUpEntry(entry: Partial<Entry> = {}): Entry {
  return {
    head: madeUpHead({}, [
      ['Referer', 'http://r/'],
      ['User-Agent', 'curl'],
      ['X-Request-Id', 'id-1'],
      ['Authorization', `Basic ${Buffer.from('ann:secret').toString('base64')}`],
    ]),
    outcome: 'answered',
    status: 200,
    sentBytes: 1234,
    receivedBytes: 5,
    endedAt: performance.now(),
    durationMs: 1234.567_89,
    queueMs: undefined,
    cpuMs: undefined,
    ends: {
      local: { address: '10.0.0.1', port: '80' },
      remote: { address: '10.0.0.7', port: '5678' },
      scheme: 'http',
    },
    answer: { responseFields: [['X-Cache', 'HIT']] },
    ...entry,
  };
}
