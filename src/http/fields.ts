/**
 * Field names, looked up once: whether a name is a token, its lower case, its key in a WSGI environ, and whether it means
 * something to the server. Clients send the same few names all the time, so a bounded cache answers nearly every time.
 */

import { type EnvironPlace, environKey, placeOf } from './environ-keys.ts';
import { tokenForm } from './h1/grammar.ts';

/** What a field means to the server. All others are `other`, and are only passed on. */
export type FieldKind =
  | 'other'
  | 'connection'
  | 'content-length'
  | 'content-type'
  | 'date'
  | 'expect'
  | 'forwarded'
  | 'host'
  | 'hop-by-hop'
  | 'trailer'
  | 'transfer-encoding'
  | 'upgrade';

export interface FieldName {
  /** As sent. */
  readonly raw: string;
  /**
   * The name as numbers that are compared with bytes: four characters in each, and the rest. Empty for a name that is not
   * cached.
   */
  readonly words: readonly number[];
  readonly rest: readonly number[];
  readonly lower: string;
  readonly kind: FieldKind;
  /**
   * Its key in a WSGI environ, such as `HTTP_ACCEPT` (PEP 3333, from RFC 3875 §4.1.18). Undefined for a name with an
   * underscore: `X_Real_Ip` would overwrite `X-Real-Ip`, which a proxy may have set for a reason.
   */
  readonly environKey: string | undefined;
  readonly environPlace: EnvironPlace;
  readonly isCached: boolean;
  /** The name that followed this one last time. As a guess it is cheaper to check than to look up. */
  follower: FieldName | undefined;
  /** The value that an answer last had in this field: the same value need not be checked again. */
  sentValue: string | undefined;
}

/** Before the first field: most clients begin with the same one. */
export const firstField: Pick<FieldName, 'isCached' | 'follower'> = { isCached: true, follower: undefined };

const kinds = new Map<string, FieldKind>([
  ['connection', 'connection'],
  ['content-length', 'content-length'],
  ['content-type', 'content-type'],
  ['date', 'date'],
  ['expect', 'expect'],
  ['forwarded', 'forwarded'],
  ['x-forwarded-for', 'forwarded'],
  ['x-forwarded-host', 'forwarded'],
  ['x-forwarded-port', 'forwarded'],
  ['x-forwarded-prefix', 'forwarded'],
  ['x-forwarded-proto', 'forwarded'],
  ['x-forwarded-protocol', 'forwarded'],
  ['x-forwarded-ssl', 'forwarded'],
  ['host', 'host'],
  ['keep-alive', 'hop-by-hop'],
  ['proxy-connection', 'hop-by-hop'],
  ['te', 'hop-by-hop'],
  ['trailer', 'trailer'],
  ['transfer-encoding', 'transfer-encoding'],
  ['upgrade', 'upgrade'],
]);

const cache = new Map<string, FieldName>();
/** Clients choose the names: without a bound, they could fill the memory. */
const maxCached = 1024;
const maxCachedLength = 64;

/** Describes a field name as sent, or undefined if it is not a token (RFC 9110 §5.1). */
export function lookUpField(name: string): FieldName | undefined {
  return cache.get(name) ?? describeField(name);
}

function describeField(name: string): FieldName | undefined {
  if (!tokenForm.test(name)) return undefined;
  const lower = name.toLowerCase();
  const bytes = Buffer.from(name, 'latin1');
  // A slice keeps the whole text alive that it was cut from, so the cache holds a copy.
  const raw = bytes.toString('latin1');
  const isCached = cache.size < maxCached && name.length <= maxCachedLength;
  const kind = kinds.get(lower) ?? 'other';
  const key = environKey(lower);
  const field: FieldName = {
    raw,
    words: isCached ? wordsOf(bytes) : none,
    rest: isCached ? [...bytes.subarray(bytes.length & ~3)] : none,
    lower,
    kind,
    environKey: key,
    environPlace: placeOf(key, isCached),
    isCached,
    follower: undefined,
    sentValue: undefined,
  };
  if (isCached) cache.set(raw, field);
  return field;
}

const none: readonly number[] = [];

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readInt32BE(index * 4));
}
