/** Reports which files this process or thread has loaded: under `--reload`, the master watches them. */

// Not the global, which an app may replace.
import { setImmediate } from 'node:timers';
import { hearImports, watchModules } from '../node/loaded-modules.ts';

/**
 * @param send takes files that were not sent before
 * @returns a function to call before the process or thread ends: it sends those that still wait
 */
export function sayWhatIsLoaded(send: (files: readonly string[]) => void): () => void {
  const known = new Set<string>();
  let fresh: string[] = [];
  const flush = () => {
    hearImports();
    if (fresh.length === 0) return;
    send(fresh);
    fresh = [];
  };
  watchModules((path) => {
    if (known.has(path)) return;
    known.add(path);
    // A program of thousands of files loads many of them in one turn of the event loop.
    if (fresh.push(path) === 1) setImmediate(flush).unref();
  });
  return flush;
}
