/** A session with a worker thread of this process, carried by a session with its main thread (the NodeWorker domain). */

import type { Session } from 'node:inspector';
import type { DebugSession } from '../../src/worker/watchdog/capture.ts';

type Reply = { id?: number; method?: string; params?: unknown; result?: object; error?: { message: string } };

/** Uses the first thread there is. */
export async function threadSession<T>(outer: Session, use: (inner: DebugSession) => Promise<T>): Promise<T> {
  const callbacks = new Map<number, (error: Error | null, result?: object) => void>();
  const listeners = new Map<string, (message: { params: unknown }) => void>();
  const post = outer.post.bind(outer) as (method: string, params?: object) => void;
  let lastId = 0;
  const sessionId = await new Promise<string>((resolve) => {
    outer.on('NodeWorker.attachedToWorker', ({ params }) => resolve(params.sessionId));
    post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
  outer.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, method, params: inner, result, error } = JSON.parse(params.message) as Reply;
    if (id !== undefined) callbacks.get(id)?.(error === undefined ? null : new Error(error.message), result);
    else if (method !== undefined) listeners.get(method)?.({ params: inner });
  });
  const inner: DebugSession = {
    on: (event, listener) => listeners.set(event, listener),
    post(method, params, callback) {
      callbacks.set(++lastId, callback);
      const message = JSON.stringify({ id: lastId, method, params });
      post('NodeWorker.sendMessageToWorker', { sessionId, message });
    },
    disconnect: () => post('NodeWorker.detach', { sessionId }),
  };
  const result = await use(inner);
  post('NodeWorker.disable');
  outer.disconnect();
  return result;
}
