/**
 * Who has a request: requests wait in a thread's own queue, so that it never idles between two of them, and can be stolen
 * back until the thread has begun them. Without that, a request could be stuck behind one that computes for
 * minutes while another thread is free.
 */

/** More than a thread ever has waiting. */
const slots = 64;
const states = { offered: 0, taken: 1, withdrawn: 2 } as const;

export class Claims {
  readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;

  constructor(memory = new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** In the main thread, before the request is sent. */
  offer(id: number): void {
    Atomics.store(this.words, id % slots, word(id, states.offered));
  }

  /** In the main thread. @returns false when the thread has begun: then it is the thread's for good */
  withdraw(id: number): boolean {
    return this.change(id, states.withdrawn);
  }

  /** In the main thread: whether the thread has not begun yet. */
  isOffered(id: number): boolean {
    return Atomics.load(this.words, id % slots) === word(id, states.offered);
  }

  /** In the thread, before it begins. @returns false when the request was withdrawn */
  take(id: number): boolean {
    return this.change(id, states.taken);
  }

  /** A slot that has another request's number by now was withdrawn from, or taken long ago. */
  private change(id: number, state: number): boolean {
    const offered = word(id, states.offered);
    return Atomics.compareExchange(this.words, id % slots, offered, word(id, state)) === offered;
  }
}

function word(id: number, state: number): number {
  return (id * 4 + state) | 0;
}
