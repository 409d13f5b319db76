import { stat } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Inbox } from '../../src/master/inbox.ts';

const isNumber = (item: unknown): item is number => typeof item === 'number';

describe('the inbox', () => {
  it('gives what has come, in order, and nothing after the time that was asked for', async () => {
    const inbox = new Inbox<number>();
    inbox.push(1);
    inbox.push(2);
    expect(await inbox.next(1000)).toEqual([1, 2]);
    expect(await inbox.next(0)).toEqual([]);
  });

  it('also gives what the system brings in the same moment, and a turn of the loop later', async () => {
    const inbox = new Inbox<string>();
    const taken = inbox.next(1000);
    // In the poll phase, as messages of workers come; a signal that is pending is seen at the next poll.
    stat('.', () => {
      inbox.push('a worker got the signal');
      setImmediate(() => process.nextTick(() => inbox.push('the signal')));
    });
    expect(await taken).toEqual(['a worker got the signal', 'the signal']);
  });

  it('leaves an item that was found in the queue', async () => {
    const inbox = new Inbox<number | string>();
    const found = inbox.find(isNumber);
    inbox.push('text');
    inbox.push(7);
    expect(await found).toBe(7);
    expect(await inbox.next(0)).toEqual(['text', 7]);
  });

  it('that is closed keeps no timer, of those that wait or come to wait', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const inbox = new Inbox<number>();
    void inbox.find(isNumber);
    expect(timers()).toBe(before + 1);
    inbox.close();
    await new Promise(setImmediate);
    void inbox.find(isNumber);
    expect(timers()).toBe(before);
  });
});
