/**
 * Which workers sample what they allocate: one in each generation, as all run the same code and the sampling costs something.
 * Only where the memory has a limit.
 */

import type { Child } from '../pool.ts';

type Candidate = Pick<Child, 'generation' | 'state' | 'recycleReason'>;

export class Samplers<T extends Candidate> {
  /** The newest last. */
  private readonly sampling = new Set<T>();

  /** @returns whether a child that is about to be spawned is to sample */
  choose(child: T): boolean {
    const goesOn = [...this.sampling].some(
      ({ generation, state, recycleReason }) =>
        generation === child.generation && state !== 'retiring' && state !== 'killed' && recycleReason === undefined,
    );
    if (!goesOn) this.sampling.add(child);
    return !goesOn;
  }

  /** @returns the child that can say what `child` allocates: itself, or the one that has sampled longest in its generation */
  of(child: T): T | undefined {
    if (this.sampling.has(child)) return child;
    return [...this.sampling].find(({ generation }) => generation === child.generation);
  }

  forget(child: T): void {
    this.sampling.delete(child);
  }
}
