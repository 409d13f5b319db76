/**
 * Which functions of the main thread have allocated what is still in use, by samples, since the worker was ready. On for the whole
 * life of a worker whose memory has a limit, so that the log can say what grew when it is reached.
 */

import { Session } from 'node:inspector';
import type { Growth } from '../../ipc/messages.ts';
import { type CallFrame, formatStack, type Script } from './stack.ts';

/** One sample for so many bytes: a leak of a few MiB has enough of them, and a busy worker takes a thousand a second at most. */
const intervalBytes = 512 * 1024;
const maxSites = 3;

/** `HeapProfiler.SamplingHeapProfileNode`, as far as it is used. */
export interface AllocationNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

export class Allocations {
  private readonly session = new Session();

  constructor() {
    this.session.connectToMainThread();
    this.session.post('HeapProfiler.enable');
    this.session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
  }

  /** The largest first. V8 collects garbage before it answers, so what is counted is in use. */
  async growth(): Promise<Growth[]> {
    const { profile } = await this.post<{ profile: { head: AllocationNode } }>('HeapProfiler.getSamplingProfile');
    return largest(profile.head, await this.scripts());
  }

  /** For source maps. */
  private async scripts(): Promise<Map<string, Script>> {
    const scripts = new Map<string, Script>();
    const enter = ({ params }: { params: object }) => {
      const { scriptId, url, sourceMapURL } = params as Script & { scriptId: string };
      scripts.set(scriptId, { url, ...(sourceMapURL ? { sourceMapURL } : {}) });
    };
    this.session.on('Debugger.scriptParsed', enter);
    await this.post('Debugger.enable');
    await this.post('Debugger.disable');
    this.session.off('Debugger.scriptParsed', enter);
    return scripts;
  }

  private post<T>(method: string): Promise<T> {
    return new Promise((resolve, reject) => {
      this.session.post(method, {}, (error: Error | null, result?: object) => {
        if (error === null) resolve(result as T);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }
}

/** What a function allocates through Node or V8 is its own: `Array.push`, `JSON.parse`, a Map. */
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
