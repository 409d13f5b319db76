/**
 * The contents of a TLS server's files, as the process that may read them has sent them. Never part of a log or an
 * environment.
 */

export interface TlsFiles {
  /** The first is for clients that name no host, or a host without a certificate. PEM; keys are not encrypted. */
  readonly pairs: readonly { readonly cert: string; readonly key: string }[];
  /** The authorities that sign clients' certificates; PEM. */
  readonly ca: string | undefined;
  /** 48 bytes in base64: the same in all workers, so that each resumes the sessions of all. */
  readonly ticketKey: string;
}

export interface TlsPolicy {
  readonly clients: 'none' | 'optional' | 'required';
  readonly ciphers: string | undefined;
  readonly least: '1.2' | '1.3';
}
