/**
 * Field names, looked up once: whether a name is a token, its lower case, its place in a WSGI environ, and whether it
 * means something to the server. Clients send the same few names all day, so a bounded cache answers nearly every time.
 */

import { tokenForm } from './h1/grammar.ts';

/** What a field means to the server itself. Everything else is `other`, and only passed on. */
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

/** Which environ has the key already. A mark is cheaper to look at than an environ, of which each client has another form. */
export interface EnvironMark {
  environ: number;
}

export interface FieldName {
  /** As sent. */
  readonly raw: string;
  /**
   * The same as numbers, to be compared with bytes: four characters to each, and the characters that are left. Empty for a
   * name that is not cached, as it is never a guess.
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
  /** Shared by the spellings of one name. */
  readonly environMark: EnvironMark;
  readonly isCached: boolean;
  /** The name that followed this one the last time: a guess at the next one, cheaper to check than to look up. */
  follower: FieldName | undefined;
  /** The value with which an answer had it the last time: it need not be checked again. */
  sentValue: string | undefined;
}

/** Stands ahead of the first field: most clients begin with the same one. */
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
/** Names are the client's to choose: without a bound, the cache would be a leak to order. */
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
  // A slice keeps the whole text it was cut from alive; a cache must hold a copy.
  const raw = bytes.toString('latin1');
  const isCached = cache.size < maxCached && name.length <= maxCachedLength;
  const kind = kinds.get(lower) ?? 'other';
  const field: FieldName = {
    raw,
    words: isCached ? wordsOf(bytes) : none,
    rest: isCached ? [...bytes.subarray(bytes.length & ~3)] : none,
    lower,
    kind,
    environKey: environKey(lower),
    environMark: markOf(lower, isCached),
    isCached,
    follower: undefined,
    sentValue: undefined,
  };
  if (isCached) cache.set(raw, field);
  return field;
}

const marks = new Map<string, EnvironMark>();
/** Of names that are not cached, and have none that is: what is written there says nothing. */
const anyMark: EnvironMark = { environ: 0 };

/** Spellings of one name are as long as each other, so the first of them that is not cached is followed by none that is. */
function markOf(lower: string, isCached: boolean): EnvironMark {
  const known = marks.get(lower);
  if (known !== undefined || !isCached) return known ?? anyMark;
  const mark = { environ: 0 };
  marks.set(lower, mark);
  return mark;
}

const none: readonly number[] = [];

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readInt32BE(index * 4));
}

function environKey(lower: string): string | undefined {
  if (lower.includes('_')) return undefined;
  const upper = lower.toUpperCase().replaceAll('-', '_');
  return upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : `HTTP_${upper}`;
}
