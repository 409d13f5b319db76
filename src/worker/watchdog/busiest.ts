/** Finds which of several CPU profiles shows the most work. */

import type { CpuProfile, ThreadProfile } from '../../ipc/profiles.ts';

const idleNames = new Set(['(idle)', '(program)', '(root)']);

export function busiest(profiles: readonly ThreadProfile[]): CpuProfile | undefined {
  let best: CpuProfile | undefined;
  let most = -1;
  for (const { profile } of profiles) {
    const busy = busySamples(profile);
    if (busy <= most) continue;
    most = busy;
    best = profile;
  }
  return best;
}

function busySamples({ nodes, samples = [] }: CpuProfile): number {
  const idle = new Set(nodes.filter(({ callFrame }) => idleNames.has(callFrame.functionName)).map(({ id }) => id));
  return samples.filter((id) => !idle.has(id)).length;
}
