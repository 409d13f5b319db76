import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Member, MemberList } from '../../src/http/member-list.ts';
import { oldBytesOf } from '../old-space.ts';

describe('a list of members', () => {
  test('holds what a Set would hold', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (steps) => {
        const all = Array.from({ length: 10 }, (): Member => ({ place: -1 }));
        const list = new MemberList<Member>();
        const set = new Set<Member>();
        for (const [isNew, index] of steps) {
          const member = all[index]!;
          if (isNew) list.add(member);
          else expect(list.delete(member)).toBe(set.has(member));
          if (isNew) set.add(member);
          else set.delete(member);
          expect(list.size).toBe(set.size);
          expect(all.map((each) => list.has(each))).toEqual(all.map((each) => set.has(each)));
          expect(new Set(list)).toEqual(set);
          expect([...list]).toHaveLength(set.size);
        }
      }),
    );
  });

  test('can be changed while it is looked through: who has left is passed over, and nobody comes twice', () => {
    const list = new MemberList<Member>();
    const all = Array.from({ length: 5 }, (): Member => ({ place: -1 }));
    for (const member of all) list.add(member);
    const seen: Member[] = [];
    for (const member of list) {
      seen.push(member);
      list.delete(member);
      if (member === all[1]) list.delete(all[3]!);
      if (member === all[1]) list.add(all[0]!);
    }
    expect(seen).toEqual([all[0], all[1], all[2], all[4]]);
    expect([...list]).toEqual([all[0]]);
  });

  test('is looked through to its end, whoever leaves on the way', () => {
    const list = new MemberList<Member>();
    const all = Array.from({ length: 5 }, (): Member => ({ place: -1 }));
    for (const member of all) list.add(member);
    const seen: Member[] = [];
    list.visit((member) => {
      seen.push(member);
      list.delete(member);
      if (member === all[3]) list.delete(all[1]!);
    });
    expect(seen).toEqual([all[4], all[3], all[2], all[0]]);
    expect(list.size).toBe(0);
  });

  test('keeps nobody in memory who has left', () => {
    const list = new MemberList<Member & { bytes: number[] }>();
    // While nobody else comes or goes, this one becomes old.
    list.add({ place: -1, bytes: [] });
    const grown = oldBytesOf(() => {
      const members = Array.from({ length: 32 }, () => ({ place: -1, bytes: new Array<number>(100).fill(0) }));
      for (const member of members) list.add(member);
      for (const member of members) list.delete(member);
    });
    expect(grown).toBeLessThan(2_000_000);
  });
});
