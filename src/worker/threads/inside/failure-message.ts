/** The failure of an app, as a message: an error does not travel, but its report does. */

import { report } from '../../../errors.ts';
import { isDeparture } from '../../../http/errors.ts';
import type { Exchange } from '../../../http/exchange.ts';
import type { FromThread } from '../messages.ts';

/** @param isLate whether the answer was over by then: the main thread may not know the request any more */
export function failureMessage(
  id: number,
  { head, requestId }: Exchange,
  error: unknown,
  isLate: boolean,
): Exclude<FromThread, { length: 1 }> {
  const failure = report(error);
  if (isLate) return ['late', { method: head.method, path: head.path, requestId, error: failure }];
  // Its causes do not travel, and the main thread asks by name.
  return ['failed', id, isDeparture(error) ? { ...failure, name: 'ClientGone' } : failure];
}
