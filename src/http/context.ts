/**
 * The async context of a request (`AsyncLocalStorage`). A request may begin while the code of another one runs. It must not see
 * the other one's stores, such as a session.
 */

import { AsyncResource } from 'node:async_hooks';

/**
 * Before Node 24, `AsyncLocalStorage.enterWith` stores its value on the current async resource. For all reads of a connection
 * that is the same one: its handle. From Node 24 on, the value is lost with the end of the callback, in which several pipelined
 * requests may begin.
 */
export const contextsStay = Number.parseInt(process.versions.node, 10) < 24;

/** How many stores are on a handle, Node's own included. Each has a symbol for its name. */
export function countStores(handle: object): number {
  return contextsStay ? Object.getOwnPropertySymbols(handle).length : 0;
}

/** Made when this file is loaded, before any request. */
const root = new AsyncResource('tsgun');

export function inFreshContext<T>(action: () => T): T {
  // A new resource for each request: `enterWith` writes to it.
  return root.runInAsyncScope(() => new AsyncResource('tsgun request').runInAsyncScope(action));
}
