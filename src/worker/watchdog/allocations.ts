/**
 * Finds, by samples, which functions of the main thread have allocated the memory in use since the worker was ready. So the log
 * can name what grew when a worker reaches its memory limit. `allocation-sampling.ts` takes the samples.
 */

import type { CpuProfileNode, Growth } from '../../ipc/profiles.ts';
import type { DebugSession } from './capture.ts';
import { openSession } from './main-sessions.ts';
import { type CallFrame, formatStack, type Script } from './stack.ts';

const maxSites = 3;

/** The part of `HeapProfiler.SamplingHeapProfileNode` that is used. */
export interface AllocationNode {
  readonly callFrame: CpuProfileNode['callFrame'];
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

interface AllocationProfile {
  readonly head: AllocationNode;
}

export class Allocations {
  /** V8 collects garbage before it answers, so what is counted is in use. */
  profile(): Promise<AllocationProfile> {
    return withMainThread((session) => profileOf(session));
  }

  /** The largest first. */
  growth(): Promise<Growth[]> {
    return withMainThread(async (session) => {
      const { head } = await profileOf(session);
      return largest(head, await scriptsOf(session));
    });
  }
}

async function withMainThread<T>(use: (session: DebugSession) => Promise<T>): Promise<T> {
  const session = openSession();
  try {
    return await use(session);
  } finally {
    session.disconnect();
  }
}

async function profileOf(session: DebugSession): Promise<AllocationProfile> {
  const { profile } = await post<{ profile: AllocationProfile }>(session, 'HeapProfiler.getSamplingProfile');
  return profile;
}

/** For source maps. */
async function scriptsOf(session: DebugSession): Promise<Map<string, Script>> {
  const scripts = new Map<string, Script>();
  session.on('Debugger.scriptParsed', ({ params }) => {
    const { scriptId, url, sourceMapURL } = params as Script & { scriptId: string };
    scripts.set(scriptId, { url, ...(sourceMapURL ? { sourceMapURL } : {}) });
  });
  await post(session, 'Debugger.enable');
  await post(session, 'Debugger.disable');
  return scripts;
}

function post<T>(session: DebugSession, method: string): Promise<T> {
  return new Promise((resolve, reject) => {
    session.post(method, {}, (error: Error | null, result?: object) => {
      if (error === null) resolve(result as T);
      else reject(new Error(`${method}: ${error.message}`));
    });
  });
}

/** Memory that a function allocates through Node or V8 counts as its own: `Array.push`, `JSON.parse`, a Map. */
export function largest(head: AllocationNode, scripts: ReadonlyMap<string, Script>): Growth[] {
  const sites = new Map<string, { frame: CallFrame; bytes: number }>();
  const enter = (node: AllocationNode, outer: AllocationNode['callFrame'] | undefined) => {
    const { callFrame, selfSize, children } = node;
    const isApps = callFrame.url !== '' && !callFrame.url.startsWith('node:');
    const owner = isApps ? callFrame : outer;
    if (owner !== undefined && selfSize > 0) {
      const { functionName, url, scriptId, lineNumber, columnNumber } = owner;
      const key = `${scriptId}:${lineNumber}:${columnNumber}`;
      const frame = { functionName, url, location: { scriptId, lineNumber, columnNumber } };
      const site = sites.get(key) ?? { frame, bytes: 0 };
      site.bytes += selfSize;
      sites.set(key, site);
    }
    for (const child of children) enter(child, owner);
  };
  enter(head, undefined);
  const sorted = [...sites.values()].sort((one, other) => other.bytes - one.bytes).slice(0, maxSites);
  return sorted.map(({ frame, bytes }) => ({ site: formatStack([frame], scripts).replace(/^at /, ''), bytes }));
}
