/** Makes certificates, which Node only reads: X.509 version 3 (RFC 5280 §4.1) in DER, with a P-256 key, for development. */

import type { KeyObject } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { cryptoModule } from '../../node/builtin.ts';

export interface Made {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Hosts and addresses; the first is the subject's name. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Who signs it, in place of itself. */
  readonly issuer?: { readonly name: string; readonly key: KeyObject };
}

export function makeCertificate({ names, notBefore, notAfter, issuer }: CertificateOptions): Made {
  const { publicKey, privateKey } = cryptoModule().generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [name = ''] = names;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial()),
    signatureAlgorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(alternativeNames(names), ...(issuer === undefined ? [basicConstraints] : []))),
  );
  const signature = cryptoModule().sign('sha256', body, issuer?.key ?? privateKey);
  const der = sequence(body, signatureAlgorithm, bitString(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: readonly Buffer[]) => element(0x30, ...parts);
const explicit = (number: number, part: Buffer) => element(0xa0 + number, part);
const integer = (bytes: Buffer) => element(0x02, bytes);
const octets = (part: Buffer) => element(0x04, part);
const bitString = (bytes: Buffer) => element(0x03, Buffer.from([0]), bytes);
const utf8 = (text: string) => element(0x0c, Buffer.from(text));
const identifier = (hex: string) => element(0x06, Buffer.from(hex, 'hex'));

/** ecdsa-with-SHA256 (RFC 5758 §3.2). */
const signatureAlgorithm = sequence(identifier('2a8648ce3d040302'));
/** It may sign others, so that systems can be told to trust it. */
const basicConstraints = sequence(
  identifier('551d13'),
  element(0x01, Buffer.from([0xff])),
  octets(sequence(element(0x01, Buffer.from([0xff])))),
);

/** Positive, and not zero. */
function serial(): Buffer {
  const bytes = cryptoModule().randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

/** With a common name alone. */
function distinguishedName(name: string): Buffer {
  return sequence(element(0x31, sequence(identifier('550403'), utf8(name))));
}

/** GeneralizedTime from 2050 on, UTCTime before (RFC 5280 §4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() >= 2050
    ? element(0x18, Buffer.from(digits))
    : element(0x17, Buffer.from(digits.slice(2)));
}

/** subjectAltName (RFC 5280 §4.2.1.6). */
function alternativeNames(names: readonly string[]): Buffer {
  const written = names.map((name) =>
    isIP(name) === 0 ? element(0x82, Buffer.from(name, 'latin1')) : element(0x87, addressBytes(name)),
  );
  return sequence(identifier('551d11'), octets(sequence(...written)));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const { address: short } = new SocketAddress({ family: 'ipv6', address });
  const [before = '', after] = short.split('::');
  const groups = (text = '') => text.split(':').filter((group) => group !== '');
  const [first, last] = [groups(before), groups(after)];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
