/**
 * Formats call frames of the Chrome DevTools Protocol as the lines of a stack, with places in the source where a source map has
 * them. It knows no inspector session: the caller has paused the thread, and passes frames and scripts.
 */

import { readFileSync, statSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The part of `Debugger.CallFrame` that is used. Lines and columns count from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url?: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

/** The part of `Debugger.scriptParsed` that is used. */
export interface Script {
  readonly url: string;
  readonly sourceMapURL?: string;
}

/** An endless recursion has thousands of equal frames. */
const maxFrames = 50;
/** The limit for one map. Its text and what `JSON.parse` makes of it are both in memory. */
const maxMapBytes = 32 * 1024 * 1024;
/** The limit for the mappings of all maps that a stack needs. Node's table of them takes 23 times as much, and must fit into the heap. */
const maxMappingsLength = 4_000_000;

/**
 * One line per frame, innermost first, in the form of an error's stack: `at name (file:line:column)`. A compiled place
 * follows the place in the source: `at name (src/app.ts:3:5, compiled to dist/app.js:7:9)`.
 * @param scripts by `scriptId`
 */
export function formatStack(frames: readonly CallFrame[], scripts: ReadonlyMap<string, Script>): string {
  const maps = new Map<Script, Mapped | undefined>();
  const room = { length: maxMappingsLength };
  const mapOf = (script: Script) => {
    if (!maps.has(script)) maps.set(script, loadMap(script, room));
    return maps.get(script);
  };
  const lines = frames.slice(0, maxFrames).map(({ functionName, url, location }) => {
    const script = scripts.get(location.scriptId) ?? { url: url ?? '' };
    const line = location.lineNumber;
    const column = location.columnNumber ?? 0;
    const place = `${pathOf(script.url) || '<anonymous>'}:${line + 1}:${column + 1}`;
    const source = mapOf(script)?.find(line, column);
    const where = source === undefined ? place : `${source.place}${source.isSameFile ? '' : `, compiled to ${place}`}`;
    return `at ${functionName || '<anonymous>'} (${where})`;
  });
  if (frames.length > maxFrames) lines.push(`... and ${frames.length - maxFrames} more`);
  return lines.join('\n');
}

interface Mapped {
  find(line: number, column: number): { place: string; isSameFile: boolean } | undefined;
}

/**
 * If a source map is missing, broken or too large, the stack shows compiled places.
 * @param room how long mappings may still be
 */
function loadMap(script: Script, room: { length: number }): Mapped | undefined {
  if (!script.sourceMapURL || script.url === '' || script.url.startsWith('node:')) return undefined;
  try {
    const base = script.url.includes('://') ? script.url : pathToFileURL(script.url).href;
    const address = new URL(script.sourceMapURL, base);
    const text = readMap(address);
    const payload = JSON.parse(text) as Partial<SourceMapPayload>;
    // A map in sections has mappings in each.
    const { length } = payload.mappings ?? text;
    if (length > room.length) return undefined;
    room.length -= length;
    // A `data:` URL has no folder: its sources are relative to the script.
    const root = address.protocol === 'data:' ? base : address.href;
    // Some versions of Node put sourceRoot before the sources, some do not.
    const map = new SourceMap({ ...(payload as SourceMapPayload), sourceRoot: '' });
    return {
      find(line, column) {
        const entry = map.findEntry(line, column);
        if (!('originalSource' in entry) || !entry.originalSource) return undefined;
        const source = pathOf(new URL(join(payload.sourceRoot, entry.originalSource), root).href);
        return {
          place: `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`,
          isSameFile: source === pathOf(script.url),
        };
      },
    };
  } catch {
    return undefined;
  }
}

function join(root: string | undefined, source: string): string {
  return root ? `${root.replace(/\/?$/, '/')}${source}` : source;
}

function readMap(address: URL): string {
  if (address.protocol === 'file:') {
    if (statSync(address).size > maxMapBytes) throw new Error('too large');
    return readFileSync(address, 'utf8');
  }
  const [, kind = '', data = ''] = /^data:([^,]*),(.*)$/s.exec(address.href) ?? [];
  if (data.length > maxMapBytes) throw new Error('too large');
  return kind.endsWith(';base64') ? Buffer.from(data, 'base64').toString('utf8') : decodeURIComponent(data);
}

function pathOf(url: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url;
  } catch {
    return url;
  }
}
