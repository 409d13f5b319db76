/** What an app gets to know of a TLS connection: Apache's variables, as PEP 3333 asks ("environ Variables"). */

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { cryptoModule } from '../../node/builtin.ts';

export type TlsVariables = Readonly<Record<string, string>>;

/** @param asksForCertificate whether the server asks for a client certificate */
export function variablesOf(socket: TLSSocket, asksForCertificate: boolean): TlsVariables {
  const basic = { HTTPS: 'on', SSL_PROTOCOL: socket.getProtocol() ?? '', SSL_CIPHER: socket.getCipher().name };
  const sni = typeof socket.servername === 'string' ? { SSL_TLS_SNI: socket.servername } : {};
  if (!asksForCertificate) return { ...basic, ...sni };
  const raw = socket.getPeerX509Certificate();
  if (raw === undefined) return { ...basic, ...sni, SSL_CLIENT_VERIFY: 'NONE' };
  return { ...basic, ...sni, ...describe(raw) };
}

function describe(certificate: X509Certificate): TlsVariables {
  const { subject, issuer, serialNumber, validFrom, validTo, fingerprint256 } = certificate;
  const name = /^CN=(.*)$/m.exec(subject)?.[1];
  return {
    SSL_CLIENT_VERIFY: 'SUCCESS',
    // Node writes one part per line. Some readers would take a line feed for the start of another variable.
    SSL_CLIENT_S_DN: subject.split('\n').reverse().join(','),
    ...(name === undefined ? {} : { SSL_CLIENT_S_DN_CN: name }),
    SSL_CLIENT_I_DN: issuer.split('\n').reverse().join(','),
    SSL_CLIENT_M_SERIAL: serialNumber,
    SSL_CLIENT_V_START: validFrom,
    SSL_CLIENT_V_END: validTo,
    SSL_CLIENT_FINGERPRINT: fingerprint256,
    SSL_CLIENT_CERT: certificate.toString(),
  };
}

/** As `tls.TLSSocket` has it: an empty object if the client has sent none. */
export function peerCertificate(variables: TlsVariables): object {
  const { SSL_CLIENT_CERT: text } = variables;
  return text === undefined ? {} : new (cryptoModule().X509Certificate)(text).toLegacyObject();
}
