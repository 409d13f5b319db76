/** The two ends of a connection, as apps are told of them. */

export type Scheme = 'http' | 'https';

/** One of them. Texts, because that is what apps are told; empty ones for a client on a unix socket. */
export interface End {
  readonly address: string;
  readonly port: string;
}

/** Never changed: the local end is one object for all connections of a server. */
export interface Ends {
  readonly local: End;
  readonly remote: End;
  readonly scheme: Scheme;
  /** Of the path, where a proxy has taken a beginning of it away, and is believed: the environ's SCRIPT_NAME. Still percent-encoded. */
  readonly prefix?: string;
  /** Of a TLS connection: Apache's variables for it, `SSL_PROTOCOL` and the like. */
  readonly tls?: Readonly<Record<string, string>>;
}

/** What a connection speaks without TLS. */
export const plainScheme: Scheme = 'http';

/** Where nothing is known, or there is nothing to know. */
export const nowhere: End = { address: '', port: '' };

/**
 * What a unix socket goes by: it has no address, but SERVER_NAME and SERVER_PORT are never empty (PEP 3333, "environ
 * Variables"). Not taken from Host, as gunicorn does: that is the client's to choose, and an app that wants it has HTTP_HOST.
 */
export const unixEnd: End = { address: 'localhost', port: '80' };

/** An end as Node describes it; without an address, that of a client on a unix socket. */
export function remoteEnd({ address = '', port = '' }: { address?: string; port?: string | number }): End {
  return { address, port: String(port) };
}
