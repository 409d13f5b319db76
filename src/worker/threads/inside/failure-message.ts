/** Makes a message of an app's failure: an error cannot be sent, but its report can. */

import { report } from '../../../errors.ts';
import { isDeparture } from '../../../http/errors.ts';
import type { Exchange } from '../../../http/exchange.ts';
import type { FromThread } from '../messages.ts';

/** @param isLate whether the answer had ended: the main thread may have forgotten the request */
export function failureMessage(
  id: number,
  { head, requestId }: Exchange,
  error: unknown,
  isLate: boolean,
): Exclude<FromThread, { length: 1 }> {
  const failure = report(error);
  if (isLate) return ['late', { method: head.method, path: head.path, requestId, error: failure }];
  // The causes of an error are not sent, and the main thread recognises a departure by the error's name.
  return ['failed', id, isDeparture(error) ? { ...failure, name: 'ClientGone' } : failure];
}
