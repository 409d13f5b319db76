/** The pool's records in a form that can be written: for `notes.ts` and `endings.ts`, and no other file. */

import type { Backoff } from './backoff.ts';
import type { Child, Pool } from './pool.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type WritableChild = Mutable<Child>;

export type WritablePool = Mutable<Omit<Pool, 'children' | 'backoffs' | 'crashes'>> & {
  readonly children: Map<number, WritableChild>;
  readonly backoffs: Map<number, Backoff>;
  readonly crashes: number[];
};

export function write(pool: Pool): WritablePool {
  return pool as WritablePool;
}
