/**
 * Random mutations of valid PROXY headers, fed to their reader whole and at every place near their ends: it throws nothing but
 * ProxyError, says the same however the bytes were cut, keeps nothing beyond its limit, and names no client that has no address.
 *
 *   npm run mutations:proxy -- [COUNT] [--seed N]
 *
 * The same seed makes the same mutations. Exits 1 on a violation.
 */

import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { crc32c } from '../src/http/proxy-protocol/checksum.ts';
import { longestHeader, ProxyError, readProxyHeader } from '../src/http/proxy-protocol/header.ts';
import { seeded } from './lib/random.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
const count = Number(positionals[0] ?? 10_000_000);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error('COUNT and --seed are whole numbers');
  process.exit(1);
}
// Most mutations end in an error whose stack nobody reads.
Error.stackTraceLimit = 0;

const reportEvery = 1_000_000;
const random = seeded(seed);
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];
const special = Buffer.from('\0\t\n\r \x7f\xff0%:.PROXY\x11\x20\x21', 'latin1');
const request = Buffer.from('GET / HTTP/1.1\r\nHost: h\r\n\r\n');

function v2(family, rest, command = 0x21) {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

function tlv(type, value) {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

function withChecksum(family, rest) {
  const bytes = v2(family, Buffer.concat([rest, tlv(0x03, Buffer.alloc(4))]));
  bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
  return bytes;
}

const ipv4 = Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 22, 46, 1, 187]);
const ipv6 = Buffer.from(`20010db8${'0'.repeat(23)}9${'0'.repeat(31)}1162e01bb`, 'hex');
const secure = tlv(0x20, Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), tlv(0x21, Buffer.from('TLSv1.3'))]));
const headers = [
  Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 5678 443\r\n'),
  Buffer.from('PROXY TCP6 2001:db8::9 ::ffff:10.0.0.1 5678 443\r\n'),
  Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'),
  v2(0x11, ipv4),
  v2(0x11, Buffer.concat([ipv4, tlv(0x01, Buffer.from('h2')), secure])),
  v2(0x21, Buffer.concat([ipv6, tlv(0xee, Buffer.alloc(300, 7))])),
  v2(0x31, Buffer.alloc(216, 9)),
  v2(0x00, Buffer.alloc(5), 0x20),
  withChecksum(0x11, ipv4),
  withChecksum(0x21, Buffer.concat([ipv6, secure])),
].map((header) => Buffer.concat([header, request]));
const scratch = Buffer.alloc(1024);

function edit(length) {
  const at = below(Math.min(length, 420) + 1);
  const kind = below(4);
  if (kind === 0 && length < scratch.length) {
    scratch.copyWithin(at + 1, at, length);
    scratch[at] = random() < 0.5 ? pick(special) : below(256);
    return length + 1;
  }
  if (kind === 1 && at < length) {
    scratch.copyWithin(at, at + 1, length);
    return length - 1;
  }
  if (at < length) scratch[at] = kind === 2 ? scratch[at] ^ (1 << below(8)) : pick(special);
  return length;
}

function mutate() {
  let length = pick(headers).copy(scratch);
  for (let left = 1 + below(5); left > 0; left--) length = edit(length);
  return scratch.subarray(0, length);
}

/** @returns a header, undefined for "more bytes", or the refusal @throws whatever is no refusal */
function read(bytes, version) {
  try {
    return readProxyHeader(bytes, version);
  } catch (error) {
    if (error instanceof ProxyError) return error.message;
    throw error;
  }
}

/** @returns {string | undefined} */
function violationOf(bytes, version) {
  const whole = read(bytes, version);
  if (whole === undefined) return bytes.length < longestHeader ? undefined : 'waits for more than its limit';
  if (typeof whole === 'string') {
    // What was refused once is not a header with fewer bytes.
    const part = read(bytes.subarray(0, below(bytes.length + 1)), version);
    return typeof part === 'object' ? 'a header in part, a refusal as a whole' : undefined;
  }
  const { length, client } = whole;
  if (!(length > 0 && length <= Math.min(bytes.length, longestHeader))) return `${length} bytes long`;
  if (client !== undefined && (isIP(client.address) === 0 || !(Number(client.port) < 65536)))
    return `the client ${JSON.stringify(client)}`;
  const again = read(bytes.subarray(0, length), version);
  if (JSON.stringify(again) !== JSON.stringify(whole)) return 'another header without what follows it';
  return read(bytes.subarray(0, below(length)), version) === undefined ? undefined : 'an end ahead of its end';
}

console.log(`${count} mutations, seed ${seed}`);
const tally = { header: 0, more: 0, refused: 0 };
for (let done = 0; done < count; done++) {
  const bytes = mutate();
  const version = pick(['auto', 'auto', 'v1', 'v2']);
  let violation;
  try {
    violation = violationOf(bytes, version);
    const result = read(bytes, version);
    tally[result === undefined ? 'more' : typeof result === 'string' ? 'refused' : 'header']++;
  } catch (error) {
    violation = String(error);
  }
  if (violation !== undefined) {
    console.error(`Violation in mutation ${done} (${version}): ${violation}\n${bytes.toString('hex')}`);
    process.exit(1);
  }
  if ((done + 1) % reportEvery === 0) console.log(`${done + 1} mutations: ${JSON.stringify(tally)}`);
}
console.log(`No violation in ${count} mutations (Node ${process.version}, seed ${seed}): ${JSON.stringify(tally)}`);
