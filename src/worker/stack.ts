/** Call frames as the inspector gives them, to a stack as people read it. */

import { fileURLToPath } from 'node:url';

/** Debugger.CallFrame of the Chrome DevTools Protocol, as far as it is used; lines and columns count from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

const maxFrames = 50;

/** @param scripts names of scripts by their id, as `Debugger.scriptParsed` tells them: a frame does not always say its own */
export function formatStack(frames: readonly CallFrame[], scripts: ReadonlyMap<string, string>): string {
  const lines = frames.slice(0, maxFrames).map((frame) => {
    const { functionName, location } = frame;
    const url = frame.url || (scripts.get(location.scriptId) ?? '');
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    const place = `${path}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
    return functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`;
  });
  const left = frames.length - maxFrames;
  return [...lines, ...(left > 0 ? [`    and ${left} more`] : [])].join('\n');
}
