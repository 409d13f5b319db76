/**
 * Threads start from memory. When one is started, tsgun's files may be gone, as while `npm ci` runs, or only root's to
 * read. Their code is one file each, without imports of its own but Node's, and is read when the worker starts.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

export interface ThreadCode {
  readonly file: string;
  readonly text: string;
}

/** Not by `eval: true`, with which Node ignores `--import`. The code has its file's name in stacks, and resolves packages from there. */
const start = `import { workerData } from 'node:worker_threads';
import Module from 'node:module';
import { pathToFileURL } from 'node:url';
const { file, text } = workerData.code;
delete workerData.code;
process.argv.splice(1, 0, file);
const module = new Module(file);
module.filename = file;
module.importMeta = { url: pathToFileURL(file).href, main: import.meta.main };
module._compile(text, file);`;
const starter = new URL(`data:text/javascript,${encodeURIComponent(start)}`);

/** @throws the system's error */
export function readThreadCode(entry: URL): ThreadCode {
  const file = fileURLToPath(entry);
  return { file, text: readFileSync(file, 'utf8') };
}

/** @param options as for `Worker`; the thread finds its data as `workerData` */
export function startThread(
  code: ThreadCode,
  { workerData, ...options }: WorkerOptions & { workerData: object },
): Worker {
  return new Worker(starter, { ...options, workerData: { ...workerData, code } });
}
