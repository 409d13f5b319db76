/** Certificates for tests, made when they are needed. */

import { createPrivateKey } from 'node:crypto';
import { type Made, makeCertificate } from '../../../src/master/tls/self-signed.ts';

const dayMs = 24 * 3600 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs);

export function certificateFor(names: readonly string[], days = 30): Made {
  return makeCertificate({ names, notBefore: inDays(-60), notAfter: inDays(days) });
}

/** Signed by another, whose subject is `name`. */
export function signedBy(authority: Made, name: string, subject: string, days = 30): Made {
  const issuer = { name, key: createPrivateKey(authority.key) };
  return makeCertificate({ names: [subject], notBefore: inDays(-60), notAfter: inDays(days), issuer });
}
