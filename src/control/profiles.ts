/** CPU profiles of several threads as one: below the root stands each thread, and below that what it ran. Pure. */

import type { CpuProfile, CpuProfileNode, ThreadProfile } from '../ipc/profiles.ts';

/** Of one worker, as the control socket gives it. */
export interface WorkerProfiles {
  readonly pid: number;
  readonly worker: number;
  readonly profiles?: readonly ThreadProfile[];
  /** Why threads of it have none. */
  readonly missing?: readonly string[];
  readonly error?: string;
}

type MutableNode = Omit<CpuProfileNode, 'children'> & { children?: number[] };

/** One after another on the time axis: they were taken at once, but a profile has one line of time only. */
export function merge(workers: readonly WorkerProfiles[]): CpuProfile {
  const root: MutableNode = frame(1, '(root)');
  const nodes: MutableNode[] = [root];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let totalUs = 0;
  let lastId = 1;
  root.children = [];
  for (const { worker, pid, profiles = [] } of workers)
    for (const { thread, profile } of profiles) {
      const top = frame(++lastId, `worker ${worker} (${pid}), ${thread}`);
      const first = lastId;
      root.children.push(top.id);
      const ids = new Map(profile.nodes.map((node) => [node.id, ++lastId]));
      const renumbered = (id: number) => ids.get(id) ?? first;
      top.children = profile.nodes.slice(0, 1).flatMap(({ children = [] }) => children.map(renumbered));
      nodes.push(top);
      // Its own root is the thread.
      const [own, ...rest] = profile.nodes;
      if (own !== undefined) ids.set(own.id, first);
      for (const { id, children = [], ...node } of rest)
        nodes.push({
          ...node,
          id: renumbered(id),
          ...(children.length === 0 ? {} : { children: children.map(renumbered) }),
        });
      // One by one: there may be more than a call takes arguments.
      for (const id of profile.samples ?? []) samples.push(renumbered(id));
      for (const us of profile.timeDeltas ?? []) timeDeltas.push(us);
      totalUs += profile.endTime - profile.startTime;
    }
  return { nodes, startTime: 0, endTime: totalUs, samples, timeDeltas };
}

function frame(id: number, functionName: string): MutableNode {
  return { id, callFrame: { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }, hitCount: 0 };
}

export interface HotFunction {
  readonly name: string;
  readonly place: string;
  /** Of the time in which JavaScript ran. */
  readonly share: number;
}

const idle = new Set(['(root)', '(idle)', '(program)']);

/** Those in which most time was spent themselves, the hottest first. */
export function hottest({ nodes, samples = [], timeDeltas = [] }: CpuProfile, most: number): HotFunction[] {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, { name: string; place: string; us: number }>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const at = byId.get(id);
    if (at === undefined || idle.has(at.functionName) || at.functionName.startsWith('worker ')) continue;
    const us = Math.max(0, timeDeltas[index] ?? 0);
    const key = `${at.functionName} ${at.url}:${at.lineNumber}`;
    const place = at.url === '' ? '' : `${at.url.replace(/^file:\/\//, '')}:${at.lineNumber + 1}`;
    const entry = times.get(key) ?? { name: at.functionName || '(anonymous)', place, us: 0 };
    entry.us += us;
    total += us;
    times.set(key, entry);
  }
  const sorted = [...times.values()].sort((one, other) => other.us - one.us).slice(0, most);
  return sorted.map(({ name, place, us }) => ({ name, place, share: total === 0 ? 0 : us / total }));
}
