/** The certificates in use: which one a client gets, and how all of them are replaced while connections go on. */

import type { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { cryptoModule, tlsModule } from '../../node/builtin.ts';
import type { TlsFiles, TlsPolicy } from './files.ts';

interface Context {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

/** Sessions are resumed only if this is the same. It is the same in every worker. */
const sessionIdContext = 'tsgun';

/** @throws the error of OpenSSL */
export function contextOptions({ pairs, ca, ticketKey }: TlsFiles, policy: TlsPolicy, index = 0): SecureContextOptions {
  return {
    ...pairs[index],
    ...(ca === undefined ? {} : { ca }),
    ...(policy.ciphers === undefined ? {} : { ciphers: policy.ciphers }),
    honorCipherOrder: true,
    minVersion: `TLSv${policy.least}`,
    ticketKeys: Buffer.from(ticketKey, 'base64'),
    sessionIdContext,
  };
}

export class Contexts {
  private readonly all: readonly Context[];

  constructor(files: TlsFiles, policy: TlsPolicy) {
    this.all = files.pairs.map(({ cert }, index) => ({
      certificate: new (cryptoModule().X509Certificate)(cert),
      context: tlsModule().createSecureContext(contextOptions(files, policy, index)),
    }));
  }

  /** By the host that the client asks for (SNI, RFC 6066 §3); the first if none is for that host. */
  find(host: string): SecureContext {
    const found = this.all.find(({ certificate }) => certificate.checkHost(host) !== undefined);
    return (found ?? this.all[0]!).context;
  }
}
