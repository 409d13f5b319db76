import { describe, expect, it } from 'vitest';
import { Claims } from '../../../src/worker/threads/claims.ts';

function pair() {
  const main = new Claims();
  return { main, thread: new Claims(main.memory) };
}

describe('a request that waits in a thread', () => {
  it('is the thread’s once it has begun, and cannot be taken back', () => {
    const { main, thread } = pair();
    main.offer(1);
    expect(main.isOffered(1)).toBe(true);
    expect(thread.take(1)).toBe(true);
    expect(main.isOffered(1)).toBe(false);
    expect(main.withdraw(1)).toBe(false);
  });

  it('is not begun once it was taken back', () => {
    const { main, thread } = pair();
    main.offer(1);
    expect(main.withdraw(1)).toBe(true);
    expect(thread.take(1)).toBe(false);
    expect(main.withdraw(1)).toBe(false);
  });

  it('is not mistaken for one that has the same slot', () => {
    const { main, thread } = pair();
    main.offer(1);
    main.withdraw(1);
    main.offer(65);
    expect(thread.take(1)).toBe(false);
    expect(main.isOffered(1)).toBe(false);
    expect(thread.take(65)).toBe(true);
  });

  it('is told apart by its number, also beyond 2^30, which the words in memory do not hold whole', () => {
    const { main, thread } = pair();
    for (const id of [2 ** 30 - 1, 2 ** 30, 2 ** 31 + 3, 2 ** 32 + 5]) {
      main.offer(id);
      expect(main.isOffered(id)).toBe(true);
      expect(thread.take(id)).toBe(true);
      expect(main.withdraw(id)).toBe(false);
    }
  });
});
