/**
 * The async context of a request (`AsyncLocalStorage`). Where a request begins in the course of another one, it must not
 * see what that one's app has put there: whose session it is, as a rule.
 */

import { AsyncResource } from 'node:async_hooks';

/** Made while this file is loaded, before there is any request. */
const root = new AsyncResource('tsgun');

export function apart<T>(action: () => T): T {
  // One for each: `enterWith` writes to it.
  return root.runInAsyncScope(() => new AsyncResource('tsgun request').runInAsyncScope(action));
}
