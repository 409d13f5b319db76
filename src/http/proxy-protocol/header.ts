/**
 * The PROXY protocol (haproxy.org, proxy-protocol.txt), versions 1 and 2: a header before a connection's bytes that names
 * the client. Pure: bytes in, a header or "more" out. What is not exactly a header is refused.
 */

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { End } from '../ends.ts';
import { withoutMapping } from '../forwarding/trust.ts';
import { crc32c } from './checksum.ts';

export type Version = 'v1' | 'v2' | 'auto';

export interface ProxyHeader {
  /** In bytes: what follows belongs to the connection. */
  readonly length: number;
  /** Undefined if the proxy speaks for itself (LOCAL), or does not know (UNKNOWN, UNSPEC, a unix socket). */
  readonly client: End | undefined;
  /** Set if the proxy says that the client came to it over TLS (PP2_TYPE_SSL, §2.2.6). */
  readonly isSecure?: true;
}

/** The bytes are no header of the versions that are read. */
export class ProxyError extends Error {}

/** With its CRLF (§2.1). */
const longestV1 = 107;
/** The protocol allows 65,551. HAProxy and AWS send a few hundred at most; certificates take the most. */
export const longestHeader = 4096;

const start = Buffer.from('PROXY ');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedLength = 16;

/** @returns undefined if more bytes are needed @throws ProxyError */
export function readProxyHeader(bytes: Buffer, version: Version): ProxyHeader | undefined {
  if (bytes.length === 0) return undefined;
  const isV1 = begins(bytes, start);
  if (isV1 && version !== 'v2') return readV1(bytes);
  if (begins(bytes, signature) && version !== 'v1') return readV2(bytes);
  const other = isV1 || begins(bytes, signature);
  throw new ProxyError(other ? `the PROXY header is not of version ${version.slice(1)}` : 'no PROXY header');
}

/** Whether the bytes so far may be the beginning of a header. */
export function mayBeHeader(bytes: Uint8Array): boolean {
  return begins(bytes, start) || begins(bytes, signature);
}

/** Whether there are enough bytes to tell. */
export function isSurelyHeader(bytes: Uint8Array): boolean {
  return mayBeHeader(bytes) && bytes.length >= (bytes[0] === start[0] ? start.length : signature.length);
}

function begins(bytes: Uint8Array, pattern: Buffer): boolean {
  const length = Math.min(bytes.length, pattern.length);
  for (let index = 0; index < length; index++) if (bytes[index] !== pattern[index]) return false;
  return true;
}

function readV1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, longestV1).indexOf('\r\n');
  if (end === -1) {
    if (bytes.length < longestV1) return undefined;
    throw new ProxyError(`a PROXY line is longer than ${longestV1} bytes`);
  }
  const line = bytes.toString('latin1', 0, end);
  const length = end + 2;
  // The rest of the line is ignored (§2.1).
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?$/.test(line)) return { length, client: undefined };
  const parts = line.split(' ');
  const [, family, source = '', target = '', sourcePort = '', targetPort = ''] = parts;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined || parts.length !== 6) throw new ProxyError('malformed PROXY line');
  const isSound = isAddress(source) && isAddress(target) && isPort(sourcePort) && isPort(targetPort);
  if (!isSound || line.includes('%')) throw new ProxyError('malformed address in a PROXY line');
  return { length, client: endOf(source, sourcePort) };
}

function endOf(address: string, port: string): End {
  return { address: withoutMapping(address), port };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

function readV2(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < fixedLength) return undefined;
  const command = bytes[12]!;
  if (command !== 0x20 && command !== 0x21) throw new ProxyError('unknown version or command in a PROXY header');
  const length = fixedLength + bytes.readUInt16BE(14);
  if (length > longestHeader) throw new ProxyError(`a PROXY header is longer than ${longestHeader} bytes`);
  if (bytes.length < length) return undefined;
  const header = bytes.subarray(0, length);
  const family = header[13]!;
  const addressLength = addressLengths.get(family);
  if (command === 0x20) {
    // Its addresses are ignored, whatever they are (§2.2).
    if (addressLength !== undefined && fixedLength + addressLength <= length) checkParts(header, addressLength);
    return { length, client: undefined };
  }
  if (addressLength === undefined) throw new ProxyError('unknown family or transport in a PROXY header');
  if (fixedLength + addressLength > length) throw new ProxyError('a PROXY header is too short for its addresses');
  const isSecure = family !== 0 && checkParts(header, addressLength);
  const client = readClient(header, family);
  return client !== undefined && isSecure ? { length, client, isSecure } : { length, client };
}

/** By family and transport: UNSPEC, TCP over IPv4 and IPv6, unix streams. Datagrams cannot come over a stream. */
const addressLengths = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

function readClient(header: Buffer, family: number): End | undefined {
  if (family === 0x11) return endOf(header.subarray(fixedLength, fixedLength + 4).join('.'), portAt(header, 8));
  return family === 0x21 ? endOf(readIPv6(header), portAt(header, 32)) : undefined;
}

function portAt(header: Buffer, offset: number): string {
  return String(header.readUInt16BE(fixedLength + offset));
}

/** As Node writes the addresses of its own sockets. */
function readIPv6(header: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => header.readUInt16BE(fixedLength + 2 * index).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}

/**
 * The parts behind the addresses (TLVs): they must fill the header, and a checksum among them must be right (§2.2.4).
 * @returns whether one says that the client uses TLS
 */
function checkParts(header: Buffer, addressLength: number): boolean {
  let at = fixedLength + addressLength;
  let checksumAt = -1;
  let isSecure = false;
  while (at < header.length) {
    if (at + 3 > header.length) throw new ProxyError('malformed TLV in a PROXY header');
    const length = header.readUInt16BE(at + 1);
    if (at + 3 + length > header.length) throw new ProxyError('malformed TLV in a PROXY header');
    if (header[at] === 0x03) {
      if (length !== 4 || checksumAt !== -1) throw new ProxyError('malformed checksum in a PROXY header');
      checksumAt = at + 3;
    }
    if (header[at] === 0x20) {
      // A set of flags, the outcome of the check of a certificate, and parts of its own.
      if (length < 5) throw new ProxyError('malformed TLS part in a PROXY header');
      isSecure = (header[at + 3]! & 1) !== 0;
    }
    at += 3 + length;
  }
  if (checksumAt === -1) return isSecure;
  const blank = Buffer.from(header);
  blank.fill(0, checksumAt, checksumAt + 4);
  if (crc32c(blank) !== header.readUInt32BE(checksumAt)) throw new ProxyError('wrong checksum in a PROXY header');
  return isSecure;
}
