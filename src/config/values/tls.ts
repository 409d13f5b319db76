/** Which addresses are served over TLS. */

import { type AskedInterface, askedFor, schemeOf } from '../../app/names.ts';
import { type Address, formatAddress } from './addresses.ts';

export interface TlsAddresses {
  readonly bind: readonly Address[];
  readonly certfile: readonly string[];
  readonly devTls: boolean;
}

export interface TlsSettings extends TlsAddresses {
  readonly keyfile: readonly string[];
  readonly certReqs: string;
  readonly caCerts: string | undefined;
}

/** Those with https in front; a single one without a scheme, where there is a certificate. */
export function isTls({ bind, certfile, devTls }: TlsAddresses, index: number): boolean {
  const address = bind[index];
  if (address?.kind !== 'tcp') return false;
  return address.isTls === true || (bind.length === 1 && (certfile.length > 0 || devTls));
}

export function hasTls(settings: TlsAddresses): boolean {
  return settings.bind.some((_, index) => isTls(settings, index));
}

/** A guess, before the app is loaded: its export may turn out to have another interface. */
export function schemeExpected(asked: AskedInterface, app: string): string {
  return schemeOf(askedFor(asked, app));
}

/** @param scheme that of the app's interface */
export function schemeAt(settings: TlsAddresses, index: number, scheme: string): string {
  return scheme === 'http' && isTls(settings, index) ? 'https' : scheme;
}

export interface TlsProblem {
  /** The setting that asks for what cannot be. */
  readonly by: 'bind' | 'certfile' | 'keyfile' | 'certReqs' | 'devTls';
  readonly text: string;
}

/** What cannot be served. */
export function tlsProblems(settings: TlsSettings): TlsProblem[] {
  const { bind, certfile, keyfile, certReqs, caCerts, devTls } = settings;
  const problems: TlsProblem[] = [];
  const tls = bind.find((_, index) => isTls(settings, index));
  if (tls !== undefined && certfile.length === 0 && !devTls)
    problems.push({
      by: 'bind',
      text: `bind: ${formatAddress(tls)} needs a certificate: give --certfile and --keyfile, or --dev-tls for development`,
    });
  if (devTls && certfile.length > 0)
    problems.push({ by: 'devTls', text: 'devTls: it makes a certificate of its own: leave it or certfile out' });
  if (certfile.length !== keyfile.length)
    problems.push({
      by: keyfile.length > 0 ? 'keyfile' : 'certfile',
      text: `keyfile: expected one for each certfile, in the same order, got ${keyfile.length} for ${certfile.length}`,
    });
  if (certReqs !== 'none' && caCerts === undefined)
    problems.push({
      by: 'certReqs',
      text: `certReqs: ${certReqs} needs --ca-certs, which says who may sign clients' certificates`,
    });
  return problems;
}
