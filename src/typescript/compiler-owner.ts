/**
 * swc must be loaded by a thread that lives as long as the process: where a thread that ends was the first to load it, the
 * next thread that compiles ends the process with SIGSEGV. Whether JavaScript imports TypeScript is known only when a thread
 * meets it. The thread asks the main thread then, which loads swc first.
 */

import { BroadcastChannel, getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

/** Environment data reach the threads of threads too, and Node's own for hooks. */
const name = 'tsgun:compiler';
/** A main thread that is blocked for longer is not waited for. */
const patienceMs = 10_000;

/**
 * In the main thread, before it starts threads.
 * @param load loads swc, when a thread asks for it
 */
export function ownCompiler(load: () => Promise<void>): void {
  const isLoaded = new Int32Array(new SharedArrayBuffer(4));
  setEnvironmentData(name, isLoaded);
  const channel = new BroadcastChannel(name);
  channel.unref();
  channel.onmessage = async () => {
    channel.close();
    try {
      await load();
    } catch {
      // The thread meets the same error, and reports it.
    }
    Atomics.store(isLoaded, 0, 1);
    Atomics.notify(isLoaded, 0);
  };
}

/** In any thread, before it loads swc; returns when the main thread has it. */
export function awaitOwner(): void {
  if (isMainThread) return;
  const isLoaded = getEnvironmentData(name);
  if (!(isLoaded instanceof Int32Array) || Atomics.load(isLoaded, 0) === 1) return;
  const channel = new BroadcastChannel(name);
  channel.postMessage(undefined);
  Atomics.wait(isLoaded, 0, 0, patienceMs);
  channel.close();
}
