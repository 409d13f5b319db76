/**
 * The async context of a request (`AsyncLocalStorage`). Where a request begins in the course of another one, it must not
 * see what that one's app has put there: whose session it is, as a rule.
 */

import { AsyncResource } from 'node:async_hooks';

/**
 * Before Node 24, what `AsyncLocalStorage.enterWith` is given is kept in the object that the code runs on behalf of: for all
 * that a connection brings that is one and the same, its handle.
 */
export const contextsStay = Number.parseInt(process.versions.node, 10) < 24;

/** Made while this file is loaded, before there is any request. */
const root = new AsyncResource('tsgun');

export function inFreshContext<T>(action: () => T): T {
  // One for each: `enterWith` writes to it.
  return root.runInAsyncScope(() => new AsyncResource('tsgun request').runInAsyncScope(action));
}
