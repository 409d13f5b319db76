/** The members of `tls.TLSSocket` that a handler may read on `req.socket`. */

import type { Ends } from '../../http/ends.ts';
import { peerCertificate } from '../../http/tls/client.ts';
import { cryptoModule } from '../../node/builtin.ts';

export function secureSocket(socket: object, tls: NonNullable<Ends['tls']>, isHttp2: boolean): void {
  const { SSL_CLIENT_VERIFY, SSL_CLIENT_CERT, SSL_PROTOCOL, SSL_CIPHER, SSL_TLS_SNI } = tls;
  Object.assign(socket, {
    encrypted: true,
    authorized: SSL_CLIENT_VERIFY === 'SUCCESS',
    authorizationError: null,
    alpnProtocol: isHttp2 ? 'h2' : 'http/1.1',
    servername: SSL_TLS_SNI ?? false,
    getPeerCertificate: () => peerCertificate(tls),
    getPeerX509Certificate: () =>
      SSL_CLIENT_CERT === undefined ? undefined : new (cryptoModule().X509Certificate)(SSL_CLIENT_CERT),
    getProtocol: () => SSL_PROTOCOL ?? null,
    getCipher: () => ({ name: SSL_CIPHER, standardName: SSL_CIPHER, version: SSL_PROTOCOL }),
  });
}
