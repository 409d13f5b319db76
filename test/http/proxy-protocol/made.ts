/** Headers of the PROXY protocol, version 2, as a proxy makes them. */

import { crc32c } from '../../../src/http/proxy-protocol/checksum.ts';

/** @param rest addresses and TLVs */
export function v2(family: number, rest: Buffer, command = 0x21): Buffer {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

export function tlv(type: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), Buffer.from(value, 'latin1')]);
}

export function withChecksum(family: number, addresses: Buffer): Buffer {
  const bytes = v2(family, Buffer.concat([addresses, tlv(0x03, '\0\0\0\0')]));
  bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
  return bytes;
}
