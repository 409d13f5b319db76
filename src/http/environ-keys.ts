/** The places of fields in a WSGI environ (PEP 3333, from RFC 3875 §4.1.18): their keys, and a quick way to fill them. */

type Store = (environ: Record<string, unknown>, value: string) => void;

/** What the spellings of one name share. */
export interface EnvironPlace {
  /** Which environ has the key already. A number is quicker to look at than an environ: each client's has another form. */
  environ: number;
  /** Puts a value in its place; undefined where `environ[key] = value` does. */
  readonly store: Store | undefined;
}

/**
 * Those that browsers and proxies send. V8 remembers for each of these lines where the value goes. For a key in a variable it
 * has to search.
 */
const stores: Readonly<Record<string, Store>> = {
  HTTP_HOST(environ, value) {
    environ.HTTP_HOST = value;
  },
  HTTP_CONNECTION(environ, value) {
    environ.HTTP_CONNECTION = value;
  },
  HTTP_ACCEPT(environ, value) {
    environ.HTTP_ACCEPT = value;
  },
  HTTP_ACCEPT_ENCODING(environ, value) {
    environ.HTTP_ACCEPT_ENCODING = value;
  },
  HTTP_ACCEPT_LANGUAGE(environ, value) {
    environ.HTTP_ACCEPT_LANGUAGE = value;
  },
  HTTP_AUTHORIZATION(environ, value) {
    environ.HTTP_AUTHORIZATION = value;
  },
  HTTP_CACHE_CONTROL(environ, value) {
    environ.HTTP_CACHE_CONTROL = value;
  },
  HTTP_COOKIE(environ, value) {
    environ.HTTP_COOKIE = value;
  },
  HTTP_DNT(environ, value) {
    environ.HTTP_DNT = value;
  },
  HTTP_IF_MODIFIED_SINCE(environ, value) {
    environ.HTTP_IF_MODIFIED_SINCE = value;
  },
  HTTP_IF_NONE_MATCH(environ, value) {
    environ.HTTP_IF_NONE_MATCH = value;
  },
  HTTP_ORIGIN(environ, value) {
    environ.HTTP_ORIGIN = value;
  },
  HTTP_PRIORITY(environ, value) {
    environ.HTTP_PRIORITY = value;
  },
  HTTP_REFERER(environ, value) {
    environ.HTTP_REFERER = value;
  },
  HTTP_SEC_CH_UA(environ, value) {
    environ.HTTP_SEC_CH_UA = value;
  },
  HTTP_SEC_CH_UA_MOBILE(environ, value) {
    environ.HTTP_SEC_CH_UA_MOBILE = value;
  },
  HTTP_SEC_CH_UA_PLATFORM(environ, value) {
    environ.HTTP_SEC_CH_UA_PLATFORM = value;
  },
  HTTP_SEC_FETCH_DEST(environ, value) {
    environ.HTTP_SEC_FETCH_DEST = value;
  },
  HTTP_SEC_FETCH_MODE(environ, value) {
    environ.HTTP_SEC_FETCH_MODE = value;
  },
  HTTP_SEC_FETCH_SITE(environ, value) {
    environ.HTTP_SEC_FETCH_SITE = value;
  },
  HTTP_SEC_FETCH_USER(environ, value) {
    environ.HTTP_SEC_FETCH_USER = value;
  },
  HTTP_UPGRADE_INSECURE_REQUESTS(environ, value) {
    environ.HTTP_UPGRADE_INSECURE_REQUESTS = value;
  },
  HTTP_USER_AGENT(environ, value) {
    environ.HTTP_USER_AGENT = value;
  },
  HTTP_X_FORWARDED_FOR(environ, value) {
    environ.HTTP_X_FORWARDED_FOR = value;
  },
  HTTP_X_FORWARDED_HOST(environ, value) {
    environ.HTTP_X_FORWARDED_HOST = value;
  },
  HTTP_X_FORWARDED_PROTO(environ, value) {
    environ.HTTP_X_FORWARDED_PROTO = value;
  },
  HTTP_X_REAL_IP(environ, value) {
    environ.HTTP_X_REAL_IP = value;
  },
  HTTP_X_REQUEST_ID(environ, value) {
    environ.HTTP_X_REQUEST_ID = value;
  },
  CONTENT_LENGTH(environ, value) {
    environ.CONTENT_LENGTH = value;
  },
  CONTENT_TYPE(environ, value) {
    environ.CONTENT_TYPE = value;
  },
};

const places = new Map<string, EnvironPlace>();
/** For names that are not cached, and whose key no cached name has: what is written there says nothing. */
const anyPlace: EnvironPlace = { environ: 0, store: undefined };

/**
 * @param key undefined for a name that has no place
 * @param isCached whether the name is remembered, and its place with it. All spellings of one name have the same length: after
 *   the first one that is not cached, no other one is.
 */
export function placeOf(key: string | undefined, isCached: boolean): EnvironPlace {
  if (key === undefined) return anyPlace;
  const known = places.get(key);
  if (known !== undefined || !isCached) return known ?? anyPlace;
  const place = { environ: 0, store: Object.hasOwn(stores, key) ? stores[key] : undefined };
  places.set(key, place);
  return place;
}

/** @param lower a field name in small letters @returns undefined for a name with an underscore: see `FieldName` */
export function environKey(lower: string): string | undefined {
  if (lower.includes('_')) return undefined;
  const upper = lower.toUpperCase().replaceAll('-', '_');
  return upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : `HTTP_${upper}`;
}
