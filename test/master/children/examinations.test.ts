import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Examination, Findings } from '../../../src/ipc/messages.ts';
import { Examinations } from '../../../src/master/children/examinations.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a question to a worker’s watchdog', () => {
  const examinations = new Examinations<string>();
  const orders: Examination[] = [];
  const ask = (child: string, ms = 1000) =>
    examinations.ask(child, { type: 'profile', ms }, (order) => orders.push(order));
  const answer = (id: number): Findings => ({ type: 'findings', id, profiles: [], missing: [] });

  it('gets the answer of that worker, whatever the order', async () => {
    const [one, other] = [ask('a'), ask('b')];
    const [{ id: first }, { id: second }] = orders as [Examination, Examination];
    // Not this worker's.
    examinations.take('a', answer(second));
    examinations.take('b', answer(second));
    examinations.take('a', answer(first));
    expect(await Promise.all([one, other])).toEqual([answer(first), answer(second)]);
  });

  it('ends with the worker', async () => {
    const asked = ask('a');
    const failed = expect(asked).rejects.toThrow('the worker has ended');
    examinations.forget('b');
    examinations.forget('a');
    await failed;
  });

  it('is not waited for without end', async () => {
    const failed = expect(ask('a', 60_000)).rejects.toThrow('does not answer within 73 s');
    await vi.advanceTimersByTimeAsync(74_000);
    await failed;
  });
});
