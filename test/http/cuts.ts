/** Ways to cut bytes into pieces. However they are cut, an HTTP message says the same. */

export type Random = () => number;

/** A seeded source of numbers from 0 to 1 (mulberry32), so that a failure comes again with its seed. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function byLine(bytes: Buffer): Buffer[] {
  const cuts: number[] = [];
  for (let at = bytes.indexOf('\n'); at !== -1; at = bytes.indexOf('\n', at + 1)) cuts.push(at + 1);
  return cutAt(bytes, cuts);
}

export function bySize(bytes: Buffer, size: number): Buffer[] {
  const cuts: number[] = [];
  for (let at = size; at < bytes.length; at += size) cuts.push(at);
  return cutAt(bytes, cuts);
}

/** Up to `count` cuts; half of them close to a line's end, where cuts hurt. */
export function atRandom(bytes: Buffer, random: Random, count: number): Buffer[] {
  const cuts: number[] = [];
  for (let index = 0; index < count; index++) {
    const anywhere = Math.floor(random() * (bytes.length + 1));
    const lineEnd = bytes.indexOf('\n', anywhere);
    cuts.push(random() < 0.5 || lineEnd === -1 ? anywhere : lineEnd + Math.floor(random() * 3) - 1);
  }
  return cutAt(bytes, cuts);
}

/** Pieces are copies of their own, so that a view kept for too long shows. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length].sort((one, other) => one - other)) {
    if (cut > from) pieces.push(Buffer.from(bytes.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  return pieces;
}
