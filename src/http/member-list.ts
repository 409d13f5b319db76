/**
 * What comes and goes all the time, in no order, such as the connections of a server.
 *
 * A Set would keep them in memory after they have left. When its table is full it gets another, and the old table refers to
 * the new one, for the sake of iterators. Once a table has become old, each later one survives V8's collections of young
 * objects by that, with all that it held: of connections that bring one request each, everything was copied and stayed until
 * the next collection of all garbage, at a tenth of their CPU time.
 */

/** A member of one list at a time. */
export interface Member {
  /** Where it is in its list, which says so; -1 for one that is in none. */
  place: number;
}

export class MemberList<T extends Member> implements Iterable<T> {
  /** It never shrinks: a number that goes up and down would cost a new array each time. */
  private readonly members: (T | undefined)[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(member: T): boolean {
    return this.members[member.place] === member;
  }

  add(member: T): void {
    if (this.has(member)) return;
    member.place = this.count;
    this.members[this.count++] = member;
  }

  /** @returns whether it was there */
  delete(member: T): boolean {
    if (!this.has(member)) return false;
    const { members } = this;
    const last = members[--this.count]!;
    members[member.place] = last;
    last.place = member.place;
    members[this.count] = undefined;
    member.place = -1;
    return true;
  }

  /**
   * Looks at all of them, and makes no object for that: ten thousand idle connections are looked at each quarter of a second.
   * From the last to the first, as the last one takes the place of one that leaves. If another member leaves meanwhile, or one
   * comes, a member may be visited twice.
   */
  visit(look: (member: T) => void): void {
    for (let index = this.count - 1; index >= 0; index--) {
      const member = this.members[index];
      if (member !== undefined) look(member);
    }
  }

  /** Those that are there now, but for those that leave before their turn. */
  *[Symbol.iterator](): Generator<T> {
    for (const member of this.members.slice(0, this.count)) if (this.has(member!)) yield member!;
  }
}
