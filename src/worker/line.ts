/**
 * What waits or runs, in order of arrival: most leave at the front, and some anywhere. A Map or a Set would keep those that
 * have left in memory: see `http/member-list.ts`.
 */

/** A power of two, as later ones are. */
const firstLength = 32;

/** What it holds may be looked at while the main thread is paused at any point: each step leaves it whole. */
export class Line<T> implements Iterable<T> {
  /** A ring. It never shrinks: a number that goes up and down would cost a new array each time. */
  private slots: (T | undefined)[] = new Array(firstLength).fill(undefined);
  /** Where the first one is. */
  private start = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @param index counted from the front, less than `size` */
  at(index: number): T {
    return this.slots[this.slotOf(index)]!;
  }

  has(member: T): boolean {
    return this.indexOf(member) !== -1;
  }

  add(member: T): void {
    if (this.count === this.slots.length) this.grow();
    this.slots[this.slotOf(this.count)] = member;
    this.count++;
  }

  /** Ahead of all others. */
  addFirst(member: T): void {
    if (this.count === this.slots.length) this.grow();
    const first = this.slotOf(-1);
    this.slots[first] = member;
    this.start = first;
    this.count++;
  }

  /** @returns whether it was there */
  delete(member: T): boolean {
    const index = this.indexOf(member);
    if (index === -1) return false;
    if (index === this.count - 1) {
      this.count--;
      this.slots[this.slotOf(this.count)] = undefined;
      return true;
    }
    for (let at = index; at > 0; at--) this.slots[this.slotOf(at)] = this.slots[this.slotOf(at - 1)];
    const first = this.start;
    this.start = this.slotOf(1);
    this.count--;
    this.slots[first] = undefined;
    return true;
  }

  /** Removes all members. @returns them, in order */
  take(): T[] {
    const all = [...this];
    this.count = 0;
    this.slots.fill(undefined);
    return all;
  }

  /** The line must not change during the iteration. */
  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }

  private indexOf(member: T): number {
    const last = this.count - 1;
    if (last >= 0 && this.at(last) === member) return last;
    for (let index = 0; index < last; index++) if (this.at(index) === member) return index;
    return -1;
  }

  private slotOf(index: number): number {
    return (this.start + index) & (this.slots.length - 1);
  }

  private grow(): void {
    const slots = [...this, ...new Array<undefined>(this.count).fill(undefined)];
    this.slots = slots;
    this.start = 0;
  }
}
