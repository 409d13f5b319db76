/**
 * Decides who owns a request. Requests wait in a thread's own queue, so that the thread never idles between two of them, and
 * can be stolen back until the thread has begun them. Otherwise a request could wait behind one that computes for minutes,
 * while another thread is free.
 */

/** More than ever wait in one thread. */
const slots = 64;
const states = { offered: 0, taken: 1, withdrawn: 2 } as const;

export class Claims {
  readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;

  constructor(memory = new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** For the main thread, before it sends the request. */
  offer(id: number): void {
    Atomics.store(this.words, id % slots, word(id, states.offered));
  }

  /** For the main thread. @returns false if the thread has begun the request, which is then the thread's for good */
  withdraw(id: number): boolean {
    return this.change(id, states.withdrawn);
  }

  /** For the main thread: whether the thread has not begun the request yet. */
  isOffered(id: number): boolean {
    return Atomics.load(this.words, id % slots) === word(id, states.offered);
  }

  /** For the thread, before it begins. @returns false if the request was withdrawn */
  take(id: number): boolean {
    return this.change(id, states.taken);
  }

  /** If the slot holds another request's number, this request was withdrawn, or taken long ago. */
  private change(id: number, state: number): boolean {
    const offered = word(id, states.offered);
    return Atomics.compareExchange(this.words, id % slots, offered, word(id, state)) === offered;
  }
}

function word(id: number, state: number): number {
  return (id * 4 + state) | 0;
}
