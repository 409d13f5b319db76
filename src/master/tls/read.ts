/** Certificates and keys from their files, checked: each pair belongs together, and Node can serve with it. */

import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Settings } from '../../config/settings.ts';
import { ConfigError, report } from '../../errors.ts';
import { cryptoModule, tlsModule } from '../../node/builtin.ts';

export type CertificateSettings = Pick<
  Settings,
  'certfile' | 'keyfile' | 'keyfilePassword' | 'caCerts' | 'certReqs' | 'ciphers' | 'tlsMin'
>;

export interface Pair {
  readonly file: string;
  readonly cert: string;
  readonly key: string;
  readonly certificate: X509Certificate;
}

export interface Read {
  readonly pairs: readonly Pair[];
  readonly ca: string | undefined;
}

/** @throws ConfigError that names the setting, the file and the remedy */
export async function readCertificates(settings: CertificateSettings): Promise<Read> {
  const { certfile, keyfile, keyfilePassword, caCerts, ciphers, tlsMin } = settings;
  const pairs = await Promise.all(certfile.map((file, index) => readPair(file, keyfile[index]!, keyfilePassword)));
  const ca = caCerts === undefined ? undefined : await text('caCerts', caCerts);
  if (ca !== undefined) parse('caCerts', caCerts!, ca);
  for (const { cert, key, file } of pairs) {
    try {
      tlsModule().createSecureContext({ cert, key, ca, ciphers, minVersion: `TLSv${tlsMin}` });
    } catch (error) {
      const name = /cipher/i.test(report(error).message) ? `ciphers: ${ciphers}` : `certfile: ${file}`;
      throw new ConfigError(`${name}: OpenSSL refuses it (${report(error).message})`);
    }
  }
  return { pairs, ca };
}

async function readPair(file: string, keyFile: string, password: string | undefined): Promise<Pair> {
  const cert = await text('certfile', file);
  const certificate = parse('certfile', file, cert);
  const key = readKey(keyFile, await text('keyfile', keyFile), password);
  if (!certificate.checkPrivateKey(key))
    throw new ConfigError(
      `keyfile: ${keyFile} is not the key of the certificate in ${file}: give them in the same order`,
    );
  return { file, cert, key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
}

const reasons = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'this is a folder: name the file in it'],
]);

async function text(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const { code, message } = report(error);
    const denied = `user ${process.geteuid?.()} may not read it: give that user the right, or start as root`;
    const reason = code === 'EACCES' ? denied : (reasons.get(code ?? '') ?? message);
    throw new ConfigError(`${setting}: ${file}: ${reason}`);
  }
}

function parse(setting: string, file: string, pem: string): X509Certificate {
  try {
    return new (cryptoModule().X509Certificate)(pem);
  } catch {
    throw new ConfigError(`${setting}: ${file}: expected certificates in PEM form ("-----BEGIN CERTIFICATE-----")`);
  }
}

function readKey(file: string, pem: string, password: string | undefined): KeyObject {
  const isEncrypted = /ENCRYPTED/.test(pem);
  if (isEncrypted && password === undefined)
    throw new ConfigError(
      `keyfile: ${file} is encrypted: give its password with keyfilePassword, or $TSGUN_KEYFILE_PASSWORD`,
    );
  try {
    return cryptoModule().createPrivateKey({
      key: pem,
      format: 'pem',
      ...(password === undefined ? {} : { passphrase: password }),
    });
  } catch {
    if (isEncrypted)
      throw new ConfigError(`keyfilePassword: it does not open ${file}: give the one that the key was encrypted with`);
    throw new ConfigError(`keyfile: ${file}: expected a private key in PEM form ("-----BEGIN PRIVATE KEY-----")`);
  }
}
