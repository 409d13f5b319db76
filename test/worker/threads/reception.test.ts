/** What threads say about their requests, with threads that are made up. */

import { expect, it } from 'vitest';
import { Line } from '../../../src/worker/line.ts';
import { AnswerRing, Watch } from '../../../src/worker/threads/answer-ring.ts';
import { AnswerFlag, type AnswerPart, type ToThread } from '../../../src/worker/threads/messages.ts';
import { type Answering, Reception } from '../../../src/worker/threads/reception.ts';
import type { Relay } from '../../../src/worker/threads/relay.ts';
import { SharesInUse } from '../../../src/worker/threads/shares.ts';

const { head, end, done, confirm } = AnswerFlag;

function receptionOf() {
  const sent: ToThread[] = [];
  const thread = {
    given: new Line<Relay>(),
    tunnels: new Map(),
    answers: new AnswerRing(),
    progressAt: 0,
    send: (message: ToThread) => void sent.push(message),
  } satisfies Answering;
  const watch = new Watch();
  const log: string[] = [];
  const reception = new Reception<Answering>({
    threads: [thread],
    watch,
    shares: new SharesInUse([thread]),
    onFailure: (_exchange, error) => log.push(`failed ${String(error)}`),
    onFinished: () => log.push(`finished, ${thread.given.size} left`),
  });
  const give = (id: number) => {
    const relay = {
      id,
      isOver: false,
      exchange: { transport: {} },
      answer: (_flags: number, { text }: AnswerPart) => log.push(`${id}: ${text}`),
    } as unknown as Relay;
    thread.given.add(relay);
    return relay;
  };
  return { reception, thread, watch, log, sent, give };
}

const text = (said: string): AnswerPart => ({
  text: said,
  bytes: undefined,
  tail: '',
  headLength: 0,
  sentBytes: 0,
  cpuMicros: -1,
});

it('what lies in the ring was written ahead of a message, and is passed on first', () => {
  const { reception, thread, log, give } = receptionOf();
  give(1);
  give(2);
  thread.answers.write(1, head | end | done, text('by the ring'));
  reception.take(thread, ['answer', 2, head, text('by message')]);
  expect(log.slice(0, 1)).toEqual(['1: by the ring']);
  expect(log).toContain('2: by message');
});

it('all rings are read until a turn of the loop brings nothing, and threads that have finished are told of once a turn', async () => {
  const { reception, thread, watch, log, give } = receptionOf();
  for (const id of [1, 2]) {
    give(id);
    thread.answers.write(id, head | end | done, text('x'));
  }
  reception.wake();
  expect(log).toEqual(['1: x', '2: x', 'finished, 0 left']);
  // It looks by itself now.
  give(3);
  thread.answers.write(3, head | end | done, text('y'));
  expect(watch.mustWake()).toBe(false);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(log.slice(3)).toEqual(['3: y', 'finished, 0 left']);
  expect(watch.mustWake()).toBe(true);
});

it('an answer that nobody waits for is dropped, and its thread is told that it did not go out', () => {
  const { reception, thread, sent, log } = receptionOf();
  reception.take(thread, ['answer', 7, end | confirm, text('late')]);
  expect(log).toEqual([]);
  expect(sent).toEqual([['out', 7, false]]);
});

it('the last answer of a thread that has ended still goes out', () => {
  const { reception, thread, log, give } = receptionOf();
  give(1);
  thread.answers.write(1, head | end, text('last words'));
  reception.end(thread);
  expect(log).toEqual(['1: last words']);
});

it('a failure of a request that is over is not logged', () => {
  const { reception, thread, log, give } = receptionOf();
  const relay = give(1);
  const error = { name: 'Error', message: 'no' };
  reception.take(thread, ['failed', 1, error]);
  relay.isOver = true;
  reception.take(thread, ['failed', 1, error]);
  expect(log).toEqual(['failed Error: no']);
});
