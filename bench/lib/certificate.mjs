/** Certificates of a bench's own making. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * A pair of files, `a.crt` and `a.key`, signed by itself.
 * @param {string} directory
 * @param {string} [name] the host that it is for
 */
export function makeCertificate(directory, name = 'localhost') {
  const [certfile, keyfile] = [join(directory, 'a.crt'), join(directory, 'a.key')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const files = ['-nodes', '-keyout', keyfile, '-out', certfile];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names, ...files, '-days', '60'], { stdio: 'ignore' });
  return { certfile, keyfile };
}
