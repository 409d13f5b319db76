/** The two ends of a connection, as apps see them. */

export type Scheme = 'http' | 'https';

/** One end. Its parts are texts because apps get texts; they are empty for a client on a unix socket. */
export interface End {
  readonly address: string;
  readonly port: string;
}

/** Never changed: all connections of a server share one object for the local end. */
export interface Ends {
  readonly local: End;
  readonly remote: End;
  readonly scheme: Scheme;
  /** The beginning of the path that a trusted proxy has taken away: the environ's SCRIPT_NAME. Still percent-encoded. */
  readonly prefix?: string;
  /** Of a TLS connection: variables with Apache's names, such as `SSL_PROTOCOL`. */
  readonly tls?: Readonly<Record<string, string>>;
}

/** The scheme of a connection without TLS. */
export const plainScheme: Scheme = 'http';

/** For an end that is unknown, or has no address. */
export const nowhere: End = { address: '', port: '' };

/**
 * A unix socket has no address, but SERVER_NAME and SERVER_PORT must not be empty (PEP 3333, "environ Variables"). They are not
 * taken from Host, as gunicorn does: the client chooses that, and an app can read HTTP_HOST.
 */
export const unixEnd: End = { address: 'localhost', port: '80' };

/** Behind a proxy, most clients have the address of the client before: they share its text. */
let latestAddress = '';

/** An end as Node describes it; without an address, that of a client on a unix socket. */
export function remoteEnd({ address = '', port = '' }: { address?: string; port?: string | number }): End {
  if (address !== latestAddress) latestAddress = address;
  return { address: latestAddress, port: String(port) };
}
