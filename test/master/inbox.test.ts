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

  it('leaves what was found where it is', async () => {
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
