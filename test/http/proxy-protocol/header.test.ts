import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/http/proxy-protocol/checksum.ts';
import { longestHeader, ProxyError, readProxyHeader, type Version } from '../../../src/http/proxy-protocol/header.ts';
import { tlv, v2, withChecksum } from './made.ts';

const read = (bytes: Buffer | string, version: Version = 'auto') =>
  readProxyHeader(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, version);
const end = (address: string, port: string) => ({ address, port });

describe('version 1', () => {
  it.each([
    ['PROXY TCP4 203.0.113.9 10.0.0.1 5678 443\r\n', end('203.0.113.9', '5678')],
    ['PROXY TCP6 2001:db8::9 ::1 5678 443\r\n', end('2001:db8::9', '5678')],
    ['PROXY TCP6 ::ffff:203.0.113.9 ::1 0 65535\r\n', end('203.0.113.9', '0')],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff:f::1 ffff::2 65535 65535\r\n', undefined],
  ])('%j', (line, expected) => {
    expect(read(`${line}GET /`)).toEqual({ length: line.length, client: expected });
    for (let cut = 0; cut < line.length; cut++) expect(read(line.slice(0, cut))).toBeUndefined();
  });

  it.each([
    'PROXY TCP4 203.0.113.9 10.0.0.1 5678\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 5678 443 1\r\n',
    'PROXY TCP4  203.0.113.9 10.0.0.1 5678 443\r\n',
    'PROXY TCP4 2001:db8::9 ::1 5678 443\r\n',
    'PROXY TCP6 203.0.113.9 10.0.0.1 5678 443\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 5678 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 65536 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 05678 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 -1 443\r\n',
    'PROXY TCP4 203.0.113.09 10.0.0.1 1 443\r\n',
    'PROXY UDP4 203.0.113.9 10.0.0.1 1 443\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY tcp4 203.0.113.9 10.0.0.1 1 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 1 443\n\r\n',
    'PROXY TCP4 a b 1 2\r\n',
    'proxy TCP4',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01',
  ])('refuses %j', (line) => {
    expect(() => read(line)).toThrow(ProxyError);
  });

  it('ends within 107 bytes', () => {
    expect(read(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)).toMatchObject({ length: 107 });
    expect(() => read(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).toThrow('longer than 107 bytes');
    expect(read(`PROXY UNKNOWN ${'x'.repeat(80)}`)).toBeUndefined();
  });

  it('is refused where version 2 is wanted, and the other way round', () => {
    expect(() => read('PROXY UNKNOWN\r\n', 'v2')).toThrow('not of version 2');
    expect(() => read(v2(0x11, Buffer.alloc(12)), 'v1')).toThrow('not of version 1');
    expect(read('PROXY UNKNOWN\r\n', 'v1')).toBeDefined();
    expect(read(v2(0x11, Buffer.alloc(12)), 'v2')).toBeDefined();
  });
});

describe('version 2', () => {
  const ipv4 = Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0x16, 0x2e, 0x01, 0xbb]);
  const ipv6 = Buffer.from(`20010db8${'0'.repeat(23)}9${'0'.repeat(31)}1162e01bb`, 'hex');

  it.each([
    ['IPv4', v2(0x11, ipv4), end('203.0.113.9', '5678')],
    ['IPv6', v2(0x21, ipv6), end('2001:db8::9', '5678')],
    ['a unix socket', v2(0x31, Buffer.alloc(216)), undefined],
    ['UNSPEC', v2(0x00, Buffer.alloc(0)), undefined],
    ['UNSPEC with bytes to skip', v2(0x00, Buffer.alloc(7, 0xff)), undefined],
    ['LOCAL', v2(0x00, Buffer.alloc(0), 0x20), undefined],
    ['LOCAL with addresses', v2(0x11, ipv4, 0x20), undefined],
    ['LOCAL of an unknown family', v2(0x77, Buffer.alloc(5), 0x20), undefined],
    ['TLVs', v2(0x11, Buffer.concat([ipv4, tlv(0x01, 'h2'), tlv(0xee, '')])), end('203.0.113.9', '5678')],
    ['a checksum', withChecksum(0x11, ipv4), end('203.0.113.9', '5678')],
  ])('%s', (_, bytes, expected) => {
    expect(read(Buffer.concat([bytes, Buffer.from('GET /')]))).toEqual({ length: bytes.length, client: expected });
    for (let cut = 0; cut < bytes.length; cut++) expect(read(bytes.subarray(0, cut))).toBeUndefined();
  });

  it.each([
    ['another version', v2(0x11, ipv4, 0x11)],
    ['an unknown command', v2(0x11, ipv4, 0x22)],
    ['datagrams', v2(0x12, ipv4)],
    ['an unknown family', v2(0x41, ipv4)],
    ['too few bytes for its addresses', v2(0x21, ipv4)],
    ['half a TLV', v2(0x11, Buffer.concat([ipv4, Buffer.from([1, 0])]))],
    ['a TLV that is longer than the header', v2(0x11, Buffer.concat([ipv4, Buffer.from([1, 0, 9, 1])]))],
    ['a checksum of three bytes', v2(0x11, Buffer.concat([ipv4, tlv(0x03, 'abc')]))],
    ['a wrong checksum', v2(0x11, Buffer.concat([ipv4, tlv(0x03, 'abcd')]))],
    ['too many bytes', v2(0x11, Buffer.concat([ipv4, Buffer.alloc(longestHeader)]))],
  ])('refuses %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(ProxyError);
  });

  it('refuses a length over the limit without waiting for the bytes', () => {
    const bytes = v2(0x11, ipv4).subarray(0, 16);
    bytes.writeUInt16BE(65535, 14);
    expect(() => read(bytes)).toThrow('longer than');
  });

  it('writes any IPv6 address as one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (address) => {
        const bytes = Buffer.concat([address, Buffer.alloc(20)]);
        expect(isIP(read(v2(0x21, bytes))?.client?.address ?? '')).toBeGreaterThan(0);
      }),
    );
    const mapped = Buffer.concat([Buffer.from('00000000000000000000ffffcb007109', 'hex'), Buffer.alloc(20)]);
    expect(read(v2(0x21, mapped))?.client?.address).toBe('203.0.113.9');
  });
});

describe('the checksum', () => {
  // RFC 3720 §B.4.
  it.each([
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from('123456789'), 0xe3069283],
  ])('of %j', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});

describe('whatever comes', () => {
  const ipv4 = Buffer.alloc(12, 7);
  const seeds = [
    Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 5678 443\r\nGET / HTTP/1.1\r\n\r\n'),
    Buffer.from('PROXY TCP6 2001:db8::9 ::1 5678 443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    v2(0x11, Buffer.concat([ipv4, tlv(0x01, 'h2'), tlv(0x20, 'x'.repeat(40))])),
    withChecksum(0x11, ipv4),
    v2(0x21, Buffer.alloc(36, 9)),
    v2(0x31, Buffer.alloc(216, 9)),
  ];

  /** A header or more to come or a refusal, the same for each cut of the bytes, and never an answer behind a refusal. */
  const isSound = (bytes: Buffer) => {
    let whole: ReturnType<typeof read> | 'refused';
    try {
      whole = read(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(ProxyError);
      whole = 'refused';
    }
    if (whole === undefined) expect(bytes.length).toBeLessThan(longestHeader);
    if (whole === undefined || whole === 'refused') return;
    expect(whole.length).toBeLessThanOrEqual(Math.min(bytes.length, longestHeader));
    if (whole.client !== undefined) {
      expect(isIP(whole.client.address)).toBeGreaterThan(0);
      expect(Number(whole.client.port)).toBeLessThan(65536);
    }
    expect(read(bytes.subarray(0, whole.length))).toEqual(whole);
    expect(read(bytes.subarray(0, whole.length - 1))).toBeUndefined();
  };

  it('any bytes are read to one of three ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isSound(Buffer.from(bytes))),
      { numRuns: 5000 },
    );
  });

  it('changed headers are, too', () => {
    const change = fc.record({ at: fc.nat(300), byte: fc.nat(255), remove: fc.nat(2), insert: fc.nat(2) });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(change, { maxLength: 4 }), (seed, changes) => {
        let bytes = seed;
        for (const { at, byte, remove, insert } of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.alloc(insert, byte), bytes.subarray(place + remove)]);
        }
        isSound(bytes);
      }),
      { numRuns: 20_000 },
    );
  });
});
