/** `--dev-tls`: a certificate for this machine alone, made once and kept, so that people accept it once. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, report } from '../../errors.ts';
import { cryptoModule } from '../../node/builtin.ts';
import { makeCertificate } from './self-signed.ts';

const names = ['localhost', '127.0.0.1', '::1'];
const dayMs = 24 * 3600 * 1000;
/** What browsers accept at most. */
const lifeDays = 397;
const renewDays = 30;

export interface DevelopmentFiles {
  readonly certfile: readonly string[];
  readonly keyfile: readonly string[];
}

/** @throws ConfigError where it cannot be kept */
export async function developmentFiles(env: NodeJS.ProcessEnv = process.env): Promise<DevelopmentFiles> {
  const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tsgun', 'dev-tls');
  const certFile = join(folder, 'localhost.crt');
  const keyFile = join(folder, 'localhost.key');
  if (await isGood(certFile, keyFile)) return { certfile: [certFile], keyfile: [keyFile] };
  const notBefore = new Date(Date.now() - dayMs);
  const notAfter = new Date(Date.now() + lifeDays * dayMs - 2 * dayMs);
  const { cert, key } = makeCertificate({ names, notBefore, notAfter });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replace(keyFile, key);
    await replace(certFile, cert);
  } catch (error) {
    throw new ConfigError(`devTls: the certificate cannot be kept in ${folder} (${report(error).message})`);
  }
  return { certfile: [certFile], keyfile: [keyFile] };
}

async function isGood(certFile: string, keyFile: string): Promise<boolean> {
  try {
    const certificate = new (cryptoModule().X509Certificate)(await readFile(certFile));
    await readFile(keyFile);
    return Date.parse(certificate.validTo) - Date.now() > renewDays * dayMs;
  } catch {
    return false;
  }
}

/** Whole or not at all; readable by its owner only. */
async function replace(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, file);
}
