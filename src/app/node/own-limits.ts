/**
 * Limits and timeouts that an app has set on its `http.Server`. They hold in place of tsgun's, except where the user has given
 * the setting: what stands on the command line is about this very service, and the app may be another's.
 */

import type { OwnLimits } from '../../http/limits.ts';
import type { NodeServer } from '../detect.ts';

/** What decides instead of each, in words for a warning. */
export type Fixed = Readonly<Partial<Record<keyof OwnLimits, string>>>;

interface Property {
  readonly limit: keyof OwnLimits;
  /** What a 0 stands for; undefined where it stands for no limit, and tsgun's own is then kept. */
  readonly zero: number | undefined;
  /** What lifts the limit, if 0 does not. */
  readonly remedy?: string;
}

const properties: Readonly<Record<string, Property>> = {
  keepAliveTimeout: { limit: 'keepAliveMs', zero: Number.POSITIVE_INFINITY },
  headersTimeout: { limit: 'headerMs', zero: undefined, remedy: 'only --header-timeout 0 lifts the limit' },
  // A limit of its own beside --body-timeout, which is about silence: without it, nothing is lost.
  requestTimeout: { limit: 'receiveMs', zero: 0 },
  maxHeadersCount: { limit: 'fieldCount', zero: undefined, remedy: 'set --limit-request-fields' },
  maxConnections: { limit: 'maxConnections', zero: 0 },
};

/**
 * @param usual a server of Node's on which nobody has set anything
 * @param warn called for each that has no effect
 */
export function readLimits(
  server: NodeServer,
  usual: NodeServer,
  fixed: Fixed,
  warn: (what: string, why: string) => void,
): OwnLimits | undefined {
  const found: Partial<Record<keyof OwnLimits, number>> = {};
  for (const [name, { limit, zero, remedy }] of Object.entries(properties)) {
    const value: unknown = Reflect.get(server, name);
    if (!(name in server) || value === Reflect.get(usual, name) || value === null || value === undefined) continue;
    const what = `${name} of the http.Server (${String(value)})`;
    const reason = fixed[limit];
    if (reason !== undefined) warn(what, reason);
    else if (typeof value !== 'number' || !(value >= 0)) warn(what, 'it is no number from 0 on');
    else if (value > 0) found[limit] = value;
    else if (zero !== undefined) found[limit] = zero;
    else warn(what, remedy!);
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
