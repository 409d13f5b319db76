/**
 * Starts threads from memory. When a thread is started, tsgun's files may be missing, as while `npm ci` runs, or readable for
 * root alone. So the code of each kind of thread is one file that imports only Node's modules, and is read when the worker
 * starts.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

export interface ThreadCode {
  readonly file: string;
  readonly text: string;
}

/**
 * `eval: true` is no way: with it, Node ignores `--import`. The code has its file's name in stacks, and resolves packages from
 * there.
 */
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

const remedy =
  'the limit of processes and threads is reached: raise it with ulimit -u, TasksMax= (systemd) or --pids-limit (Docker)';

/** @throws the system's error */
export function readThreadCode(entry: URL): ThreadCode {
  const file = fileURLToPath(entry);
  return { file, text: readFileSync(file, 'utf8') };
}

/**
 * @param options as for `Worker`; the thread reads its data from `workerData`
 * @throws at once if the system has no room for another thread
 */
export function startThread(
  code: ThreadCode,
  { workerData, ...options }: WorkerOptions & { workerData: object },
): Worker {
  try {
    return new Worker(starter, { ...options, workerData: { ...workerData, code } });
  } catch (error) {
    const { code: kind, message } = error as NodeJS.ErrnoException;
    if (kind !== 'ERR_WORKER_INIT_FAILED' || !message.includes('EAGAIN')) throw error;
    throw new Error(`a thread cannot be started (EAGAIN): ${remedy}`, { cause: error });
  }
}
