/** Which part of a file a request asks for, by its conditions and ranges (RFC 9110 §13 and §14). Pure. */

import fresh from 'fresh';
import parseRange from 'range-parser';
import type { Environ } from 'tsgun';
import { parseHttpDate } from './http-date.ts';

/** What tells one version of a file from another. */
export interface Version {
  readonly etag: string;
  readonly lastModified: string;
}

/** First and last byte, both included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export type Selection = 'whole' | 'not modified' | 'precondition failed' | 'unsatisfiable' | readonly Range[];

/** A request for more ranges than this gets the whole file (RFC 9110 §14.2). */
const maxRanges = 16;

/** In the order of RFC 9110 §13.2.2. */
export function select(env: Environ, version: Version, size: number): Selection {
  if (!meetsPreconditions(env, version)) return 'precondition failed';
  if (isFresh(env, version)) return 'not modified';
  return selectRanges(env, version, size);
}

function meetsPreconditions({ HTTP_IF_MATCH, HTTP_IF_UNMODIFIED_SINCE }: Environ, version: Version): boolean {
  if (HTTP_IF_MATCH !== undefined)
    return HTTP_IF_MATCH.split(',').some((tag) => tag.trim() === '*' || tag.trim() === version.etag);
  const since = parseHttpDate(HTTP_IF_UNMODIFIED_SINCE);
  return since === undefined || Date.parse(version.lastModified) <= since;
}

/** If-None-Match overrules If-Modified-Since. */
function isFresh(env: Environ, { etag, lastModified }: Version): boolean {
  const since = parseHttpDate(env.HTTP_IF_MODIFIED_SINCE);
  const asked = {
    'if-none-match': env.HTTP_IF_NONE_MATCH,
    'if-modified-since': since === undefined ? undefined : new Date(since).toUTCString(),
    'cache-control': env.HTTP_CACHE_CONTROL,
  };
  return fresh(asked, { etag, 'last-modified': lastModified });
}

function selectRanges(env: Environ, { etag, lastModified }: Version, size: number): Selection {
  const { HTTP_RANGE: range, HTTP_IF_RANGE: ifRange } = env;
  // Only GET has ranges; an unknown unit is ignored.
  if (env.REQUEST_METHOD !== 'GET' || range === undefined || !/^bytes=/i.test(range)) return 'whole';
  // The rest of another version would not fit what the client has.
  if (ifRange !== undefined && ifRange !== etag && ifRange !== lastModified) return 'whole';
  // The last 500 bytes of a file of 300 are all of it (RFC 9110 §14.1.2); range-parser takes that for an error.
  const bounded = range.replace(/([=,]\s*)-(\d+)/g, (_, before, count) => `${before}-${Math.min(count, size)}`);
  const ranges = parseRange(size, bounded, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.length > maxRanges) return 'whole';
  return ranges;
}
