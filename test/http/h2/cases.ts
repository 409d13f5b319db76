/**
 * What a server of HTTP/2 must do with frames, by section of RFC 9113 and RFC 7541. Most of what h2spec asks is here, and some
 * of the server's own limits.
 */

import { asked, block, type Fields, Flag, frame, headers, integer, number32, settings, Type } from './frames.ts';

export interface Case {
  readonly section: string;
  readonly title: string;
  /** What is sent after the preface and SETTINGS, in one go. */
  readonly send: readonly Buffer[];
  /** `GOAWAY CODE`, `RST CODE`, a status, or `open`: nothing happens. */
  readonly expected: string;
  /** Where the specification asks for something else: what. nghttp2, and so Node's own server, does the same as here. */
  readonly rfc?: string;
}

const open = Flag.endHeaders;
const whole = Flag.endStream | Flag.endHeaders;
const post = (more: Fields = []) => asked(more, '/', 'POST');
const data = (flags: number, stream = 1, payload: Buffer | number[] = Buffer.from('hello')) =>
  frame(Type.data, flags, stream, payload);
const protocol = 'GOAWAY PROTOCOL_ERROR';
const size = 'GOAWAY FRAME_SIZE_ERROR';
const compression = 'GOAWAY COMPRESSION_ERROR';
const malformed = 'RST PROTOCOL_ERROR';

const list: [section: string, title: string, expected: string, send: Buffer[], rfc?: string][] = [];
const add = (section: string, title: string, expected: string, ...send: Buffer[]) =>
  void list.push([section, title, expected, send]);
const differs = (section: string, title: string, expected: string, rfc: string, ...send: Buffer[]) =>
  void list.push([section, title, expected, send, rfc]);

// Starting, frames.
add('9113 3.4', 'SETTINGS may be followed by a request at once', '200', headers());
add('9113 4.1', 'a frame of an unknown type is ignored', 'open', frame(0x16, 0, 0, Buffer.alloc(8)));
add('9113 4.1', 'an unknown type on a stream is ignored', '200', frame(0xfe, 0xff, 1, [1]), headers());
add('9113 4.1', 'unknown flags are ignored', 'open', frame(Type.ping, 0x16, 0, Buffer.alloc(8)));
add('9113 4.1', 'the reserved bit is ignored', '200', headers(asked(), whole, 0x80000001));
add('9113 4.2', 'DATA of 16,384 bytes is taken', '200', headers(post(), open), data(1, 1, Buffer.alloc(16384)));
add('9113 4.2', 'DATA of more is an error', size, headers(post(), open), data(1, 1, Buffer.alloc(16385)));
add('9113 4.2', 'HEADERS of more is an error', size, headers(asked([['a', 'b'.repeat(16385)]])));
add('9113 4.2', 'SETTINGS of more is an error', size, frame(Type.settings, 0, 0, Buffer.alloc(6 * 2731)));
add('9113 4.3', 'a broken field block ends the connection', compression, headers(Buffer.from([0x40]), whole));
add(
  '9113 4.3',
  'PRIORITY amid a field block',
  protocol,
  headers(asked(), 1),
  frame(Type.priority, 0, 1, Buffer.alloc(5)),
);
add(
  '9113 4.3',
  'HEADERS of another stream amid a field block',
  protocol,
  headers(asked(), 1),
  headers(asked(), whole, 3),
);
add('9113 4.3', 'PING amid a field block', protocol, headers(asked(), 1), frame(Type.ping, 0, 0, Buffer.alloc(8)));
add('9113 4.3', 'DATA amid a field block', protocol, headers(post(), 0), data(1));

// Streams.
add('9113 5.1', 'DATA on an idle stream', protocol, data(1));
add('9113 5.1', 'RST_STREAM on an idle stream', protocol, frame(Type.reset, 0, 1, number32(8)));
add('9113 5.1', 'WINDOW_UPDATE on an idle stream', protocol, frame(Type.window, 0, 1, number32(1)));
add('9113 5.1', 'CONTINUATION on an idle stream', protocol, frame(Type.continuation, 4, 1, block(asked())));
add(
  '9113 5.1',
  'PRIORITY on an idle stream is no error',
  '200',
  frame(Type.priority, 0, 1, Buffer.alloc(5)),
  headers(asked(), whole, 3),
);
add('9113 5.1', 'DATA on a half-closed stream', 'GOAWAY STREAM_CLOSED', headers(asked([], '/wait')), data(1));
add(
  '9113 5.1',
  'HEADERS on a half-closed stream',
  'GOAWAY STREAM_CLOSED',
  headers(asked([], '/wait')),
  headers(asked([], '/wait')),
);
add(
  '9113 5.1',
  'CONTINUATION on a half-closed stream',
  protocol,
  headers(asked([], '/wait')),
  frame(Type.continuation, 4, 1, block(asked())),
);
add(
  '9113 5.1',
  'WINDOW_UPDATE on a half-closed stream is taken',
  '200',
  headers(),
  frame(Type.window, 0, 1, number32(10)),
);
add(
  '9113 5.1',
  'PRIORITY on a half-closed stream is taken',
  '200',
  headers(),
  frame(Type.priority, 0, 1, Buffer.alloc(5)),
);
add(
  '9113 5.1',
  'RST_STREAM on a half-closed stream is taken',
  'open',
  headers(asked([], '/wait')),
  frame(Type.reset, 0, 1, number32(8)),
);
differs(
  '9113 5.1',
  'DATA on a stream that the client has reset',
  'open',
  'GOAWAY STREAM_CLOSED or RST STREAM_CLOSED',
  headers(post(), open),
  frame(Type.reset, 0, 1, number32(8)),
  data(1),
);
differs(
  '9113 5.1',
  'HEADERS on a stream that the client has reset',
  'open',
  'GOAWAY STREAM_CLOSED or RST STREAM_CLOSED',
  headers(post(), open),
  frame(Type.reset, 0, 1, number32(8)),
  headers(post(), open),
);
add(
  '9113 5.1',
  'CONTINUATION on a stream that the client has reset',
  protocol,
  headers(post(), open),
  frame(Type.reset, 0, 1, number32(8)),
  frame(Type.continuation, 4, 1, block(asked())),
);
add(
  '9113 5.1',
  'a second RST_STREAM is no error',
  'open',
  headers(post(), open),
  frame(Type.reset, 0, 1, number32(8)),
  frame(Type.reset, 0, 1, number32(8)),
);
add(
  '9113 5.1',
  'WINDOW_UPDATE after a reset is no error',
  'open',
  headers(post(), open),
  frame(Type.reset, 0, 1, number32(8)),
  frame(Type.window, 0, 1, number32(8)),
);
add('9113 5.1.1', 'an even number', protocol, headers(asked(), whole, 2));
differs(
  '9113 5.1.1',
  'a number below one before',
  '200',
  protocol,
  headers(asked(), whole, 5),
  headers(asked(), whole, 3),
);
add('9113 5.1.1', 'numbers may be left out', '200 200', headers(asked(), whole, 7), headers(asked(), whole, 71));
add(
  '9113 5.1.2',
  'more streams at once than allowed',
  protocol,
  ...Array.from({ length: 129 }, (_, at) => headers(asked([], '/wait'), whole, at * 2 + 1)),
);
add(
  '9113 5.3',
  'a stream that depends on itself, which is no error any more',
  '200 or GOAWAY PROTOCOL_ERROR',
  headers(Buffer.concat([number32(1), Buffer.from([9]), block(asked())]), whole | Flag.priority),
);
add('9113 5.4.1', 'the connection ends after an error', protocol, frame(Type.ping, 0, 3, Buffer.alloc(8)), headers());
add('9113 5.5', 'an unknown frame amid a field block', protocol, headers(asked(), 1), frame(0x16, 0, 1, [0]));

// DATA.
add('9113 6.1', 'DATA on stream 0', protocol, data(1, 0));
add(
  '9113 6.1',
  'padding as long as the frame',
  protocol,
  headers(post(), open),
  data(Flag.padded | 1, 1, [6, 1, 1, 1, 1, 1]),
);
add('9113 6.1', 'padding', '200', headers(post(), open), data(Flag.padded | 1, 1, [2, 65, 0, 0]));
add('9113 6.1', 'nothing but padding', '200', headers(post(), open), data(Flag.padded | 1, 1, [3, 0, 0, 0]));
differs(
  '9113 6.1',
  'a padded frame without its length',
  protocol,
  size,
  headers(post(), open),
  data(Flag.padded | 1, 1, []),
);
add('9113 6.1', 'an empty frame at the end', '200', headers(post(), open), data(0), data(1, 1, []));

// HEADERS.
add('9113 6.2', 'HEADERS on stream 0', protocol, headers(asked(), whole, 0));
add(
  '9113 6.2',
  'padding longer than the frame',
  protocol,
  headers(Buffer.concat([Buffer.from([255]), block(asked())]), whole | Flag.padded),
);
add(
  '9113 6.2',
  'padding',
  '200',
  headers(Buffer.concat([Buffer.from([3]), block(asked()), Buffer.alloc(3)]), whole | Flag.padded),
);
add(
  '9113 6.2',
  'a priority',
  '200',
  headers(Buffer.concat([number32(0), Buffer.from([15]), block(asked())]), whole | Flag.priority),
);
add(
  '9113 6.2',
  'a priority and padding',
  '200',
  headers(
    Buffer.concat([Buffer.from([2]), number32(0), Buffer.from([15]), block(asked()), Buffer.alloc(2)]),
    whole | Flag.priority | Flag.padded,
  ),
);
add('9113 6.2', 'a frame too short for its priority', size, headers(Buffer.from([0, 0]), whole | Flag.priority));
add(
  '9113 6.2',
  'an empty frame, and the fields in CONTINUATION',
  '200',
  headers(Buffer.alloc(0), 1),
  frame(Type.continuation, 4, 1, block(asked())),
);

// PRIORITY, RST_STREAM.
// Newer versions of nghttp2 read no PRIORITY at all: it is deprecated (RFC 9113 §5.3.2).
differs(
  '9113 6.3',
  'PRIORITY on stream 0',
  `${protocol} or open`,
  protocol,
  frame(Type.priority, 0, 0, Buffer.alloc(5)),
);
add('9113 6.3', 'PRIORITY of 4 bytes', size, headers(asked([], '/wait')), frame(Type.priority, 0, 1, Buffer.alloc(4)));
add('9113 6.4', 'RST_STREAM on stream 0', protocol, frame(Type.reset, 0, 0, number32(8)));
add('9113 6.4', 'RST_STREAM of 3 bytes', size, headers(asked([], '/wait')), frame(Type.reset, 0, 1, [0, 0, 0]));
add(
  '9113 6.4',
  'RST_STREAM with an unknown code',
  'open',
  headers(asked([], '/wait')),
  frame(Type.reset, 0, 1, number32(0xff)),
);

// SETTINGS.
add('9113 6.5', 'an ACK with content', size, frame(Type.settings, Flag.ack, 0, Buffer.alloc(6)));
add('9113 6.5', 'SETTINGS on a stream', protocol, frame(Type.settings, 0, 1, Buffer.alloc(6)));
add('9113 6.5', 'a length that six does not divide', size, frame(Type.settings, 0, 0, Buffer.alloc(5)));
add(
  '9113 6.5',
  'an ACK that nobody waits for',
  protocol,
  frame(Type.settings, Flag.ack, 0),
  frame(Type.settings, Flag.ack, 0),
);
add('9113 6.5.2', 'ENABLE_PUSH of 2', protocol, settings([2, 2]));
add('9113 6.5.2', 'INITIAL_WINDOW_SIZE beyond its range', 'GOAWAY FLOW_CONTROL_ERROR', settings([4, 0x80000000]));
add('9113 6.5.2', 'MAX_FRAME_SIZE below its range', protocol, settings([5, 16383]));
add('9113 6.5.2', 'MAX_FRAME_SIZE beyond its range', protocol, settings([5, 16777216]));
add('9113 6.5.2', 'an unknown setting is ignored', '200', settings([0xff, 1]), headers());
add('9113 6.5.2', 'MAX_CONCURRENT_STREAMS of 0', '200', settings([3, 0]), headers());
add('9113 6.5.2', 'HEADER_TABLE_SIZE of 0', '200', settings([1, 0]), headers());
add('9113 6.5.3', 'the last of two values counts', '200', settings([4, 100], [4, 65535]), headers());
add('8441 3', 'ENABLE_CONNECT_PROTOCOL of 2', protocol, settings([8, 2]));

// PUSH_PROMISE, PING, GOAWAY.
add(
  '9113 6.6',
  'PUSH_PROMISE of a client',
  protocol,
  headers(asked([], '/wait')),
  frame(Type.push, 4, 1, Buffer.concat([number32(2), block(asked())])),
);
differs('9113 6.7', 'an ACK that nobody waits for', protocol, 'open', frame(Type.ping, Flag.ack, 0, Buffer.alloc(8)));
add('9113 6.7', 'PING on a stream', protocol, frame(Type.ping, 0, 1, Buffer.alloc(8)));
add('9113 6.7', 'PING of 6 bytes', size, frame(Type.ping, 0, 0, Buffer.alloc(6)));
add('9113 6.8', 'GOAWAY on a stream', protocol, frame(Type.goaway, 0, 1, Buffer.alloc(8)));
add('9113 6.8', 'GOAWAY of 4 bytes', size, frame(Type.goaway, 0, 0, Buffer.alloc(4)));
add(
  '9113 6.8',
  'GOAWAY, after which the stream is still served',
  '200',
  headers(asked([], '/later')),
  frame(Type.goaway, 0, 0, Buffer.alloc(8)),
);
differs(
  '9113 7',
  'GOAWAY with an unknown code, after which the stream is not served',
  'closed',
  '200',
  headers(asked([], '/later')),
  frame(Type.goaway, 0, 0, Buffer.concat([number32(0), number32(0xff)])),
);

// Flow control.
add('9113 6.9', 'an increment of 0 for the connection', protocol, frame(Type.window, 0, 0, number32(0)));
// An error of a stream may be one of the connection (RFC 9113 §5.4.2).
add(
  '9113 6.9',
  'an increment of 0 for a stream',
  protocol,
  headers(asked([], '/wait')),
  frame(Type.window, 0, 1, number32(0)),
);
add('9113 6.9', 'a length of 3', size, frame(Type.window, 0, 0, [0, 0, 1]));
add('9113 6.9', 'a length of 3 on a stream', size, headers(asked([], '/wait')), frame(Type.window, 0, 1, [0, 0, 1]));
add(
  '9113 6.9.1',
  'a window beyond 2^31-1 for the connection',
  'GOAWAY FLOW_CONTROL_ERROR',
  frame(Type.window, 0, 0, number32(0x7fffffff)),
  frame(Type.window, 0, 0, number32(0x7fffffff)),
);
add(
  '9113 6.9.1',
  'a window beyond 2^31-1 for a stream',
  'RST FLOW_CONTROL_ERROR or GOAWAY FLOW_CONTROL_ERROR or GOAWAY PROTOCOL_ERROR',
  headers(asked([], '/wait')),
  frame(Type.window, 0, 1, number32(0x7fffffff)),
  frame(Type.window, 0, 1, number32(0x7fffffff)),
);
differs(
  '9113 6.9.2',
  'a window that SETTINGS makes too large',
  'RST FLOW_CONTROL_ERROR or GOAWAY FLOW_CONTROL_ERROR',
  'GOAWAY FLOW_CONTROL_ERROR',
  headers(asked([], '/wait')),
  frame(Type.window, 0, 1, number32(0x7fff0000)),
  settings([4, 0x7fffffff]),
);

// CONTINUATION.
const parts = (...flags: number[]) => flags.map((flag) => frame(Type.continuation, flag, 1, block([['a', 'b']])));
add('9113 6.10', 'a field block in three frames', '200', headers(asked(), 1), ...parts(0, 4));
add(
  '9113 6.10',
  'another frame behind CONTINUATION without END_HEADERS',
  protocol,
  headers(asked(), 1),
  ...parts(0),
  data(1),
);
add(
  '9113 6.10',
  'CONTINUATION on stream 0',
  protocol,
  headers(asked(), 1),
  frame(Type.continuation, 4, 0, block([['a', 'b']])),
);
add(
  '9113 6.10',
  'CONTINUATION of another stream',
  protocol,
  headers(asked(), 1),
  frame(Type.continuation, 4, 3, block([['a', 'b']])),
);
add('9113 6.10', 'CONTINUATION behind END_HEADERS', protocol, headers(asked([], '/wait')), ...parts(4));
add('9113 6.10', 'CONTINUATION behind DATA', protocol, headers(post(), open), data(0), ...parts(4));
add('9113 6.10', 'CONTINUATION ahead of HEADERS', protocol, ...parts(4));

// Messages.
const trailer = (fields: Fields, flags = whole) => headers(fields, flags);
add('9113 8.1', 'a body with trailers', '200', headers(post(), open), data(0), trailer([['x-sum', '1']]));
add(
  '9113 8.1',
  'a second HEADERS without END_STREAM',
  malformed,
  headers(post(), open),
  data(0),
  trailer([['x-sum', '1']], open),
);
add(
  '9113 8.1',
  'trailers with a pseudo-field',
  malformed,
  headers(post(), open),
  data(0),
  trailer([[':method', 'GET']]),
);
add(
  '9113 8.1.1',
  'Content-Length above what comes',
  malformed,
  headers(post([['content-length', '6']]), open),
  data(1),
);
add(
  '9113 8.1.1',
  'Content-Length below what comes',
  `${malformed} or ${protocol}`,
  headers(post([['content-length', '4']]), open),
  data(1),
);
add(
  '9113 8.1.1',
  'Content-Length above two frames',
  malformed,
  headers(post([['content-length', '11']]), open),
  data(0),
  data(1),
);
add(
  '9113 8.1.1',
  'Content-Length that is right',
  '200',
  headers(post([['content-length', '10']]), open),
  data(0),
  data(1),
);
add('9113 8.1.1', 'Content-Length without a body', malformed, headers(post([['content-length', '1']])));
add(
  '9113 8.1.1',
  'Content-Length that is no number',
  malformed,
  headers(post([['content-length', 'x']]), open),
  data(1),
);
add(
  '9113 8.1.1',
  'two values of Content-Length',
  malformed,
  headers(
    post([
      ['content-length', '5'],
      ['content-length', '5'],
    ]),
    open,
  ),
  data(1),
);
add('9113 8.2', 'capital letters in a name', malformed, headers(asked([['X-Test', 'a']])));
for (const [what, name] of [
  ['space', 'x y'],
  ['colon', 'x:y'],
  ['control', 'x\x01y'],
  ['DEL', 'x\x7fy'],
  ['byte above 127', 'x\xe4y'],
] as const)
  differs('9113 8.2.1', `a ${what} in a name`, '200', malformed, headers(asked([[name, 'a']])));
differs('9113 8.2.1', 'an empty name', '200', malformed, headers(asked([['', 'a']])));
for (const [what, value] of [
  ['NUL', 'a\0b'],
  ['CR', 'a\rb'],
  ['LF', 'a\nb'],
] as const)
  differs('9113 8.2.1', `a ${what} in a value`, '200', malformed, headers(asked([['x-a', value]])));
differs('9113 8.2.1', 'white space ahead of a value', '200', malformed, headers(asked([['x-a', ' b']])));
differs('9113 8.2.1', 'white space behind a value', '200', malformed, headers(asked([['x-a', 'b\t']])));
for (const [name, value] of [
  ['connection', 'keep-alive'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['te', 'trailers, deflate'],
  ['te', 'gzip'],
] as const)
  add('9113 8.2.2', `${name}: ${value}`, malformed, headers(asked([[name, value]])));
add('9113 8.2.2', 'te: trailers', '200', headers(asked([['te', 'trailers']])));
add(
  '9113 8.2.3',
  'two fields for cookies',
  '200',
  headers(
    asked([
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ]),
  ),
);
add('9113 8.3', 'an unknown pseudo-field', malformed, headers(asked([[':test', 'a']])));
add('9113 8.3', 'a pseudo-field of answers', malformed, headers(asked([[':status', '200']])));
add(
  '9113 8.3',
  'a pseudo-field behind others',
  malformed,
  headers([
    [':method', 'GET'],
    [':scheme', 'http'],
    ['a', 'b'],
    [':path', '/'],
    [':authority', 'h'],
  ]),
);
const without = (name: string) => asked().filter(([each]) => each !== name);
for (const name of [':method', ':scheme', ':path']) {
  add('9113 8.3.1', `no ${name}`, malformed, headers(without(name)));
  add('9113 8.3.1', `${name} twice`, malformed, headers([...asked().filter(([each]) => each === name), ...asked()]));
}
add('9113 8.3.1', ':authority twice', malformed, headers([[':authority', 'h'], ...asked()]));
add('9113 8.3.1', 'an empty :path', malformed, headers(asked([], '')));
add('9113 8.3.1', 'a :path without its slash', malformed, headers(asked([], 'a')));
add('9113 8.3.1', '* for OPTIONS', '200', headers(asked([], '*', 'OPTIONS')));
add('9113 8.3.1', '* for GET', malformed, headers(asked([], '*')));
add('9113 8.3.1', 'neither :authority nor Host', malformed, headers(without(':authority')));
add('9113 8.3.1', 'Host in place of :authority', '200', headers([...without(':authority'), ['host', 'h']]));
add('9113 8.3.1', 'Host that says the same', '200', headers(asked([['host', 'h']])));
add('9113 8.3.1', 'Host that says something else', '400', headers(asked([['host', 'other']])));
add(
  '9113 8.3.1',
  'user information in :authority',
  `400 or ${malformed}`,
  headers([...without(':authority'), [':authority', 'u@h']]),
);
add('9113 8.3.1', 'another scheme', '400', headers([...without(':scheme'), [':scheme', 'ftp']]));
add('9113 8.3.1', 'a space in :path', malformed, headers(asked([], '/a b')));
add('9113 8.3.1', 'a fragment in :path', '400', headers(asked([], '/a#b')));
add(
  '9113 8.5',
  'CONNECT',
  '501',
  headers([
    [':method', 'CONNECT'],
    [':authority', 'h:1'],
  ]),
);
add(
  '9113 8.5',
  'CONNECT with a :path',
  malformed,
  headers([
    [':method', 'CONNECT'],
    [':authority', 'h:1'],
    [':path', '/'],
    [':scheme', 'http'],
  ]),
);
add(
  '8441 4',
  'CONNECT for another protocol, which nobody has offered',
  malformed,
  headers(asked([[':protocol', 'websocket']], '/', 'CONNECT')),
);
add('9110 15.2', '103 ahead of the answer', '103 200', headers(asked([], '/hints')));
add(
  '9110 10.1.1',
  'permission to send a body',
  '100 200',
  headers(asked([['expect', '100-continue']], '/', 'POST'), open),
  data(1),
);
add('9110 10.1.1', 'another expectation', '417', headers(asked([['expect', 'more']], '/', 'POST'), open));

// HPACK.
const get = Buffer.concat([Buffer.from([0x82, 0x86, 0x84]), block([[':authority', 'h']])]);
const hpack = (title: string, section: string, expected: string, bytes: number[] | Buffer) =>
  add(`7541 ${section}`, title, expected, headers(Buffer.concat([get, Buffer.from(bytes)])));
hpack('fields of the static table', '6.1', '200', [0x90]);
hpack('an index beyond both tables', '2.3.3', compression, [0xfe]);
hpack('a name beyond both tables', '2.3.3', compression, [0x7e, 1, 0x61]);
hpack('the index 0', '6.1', compression, [0x80]);
hpack('a literal that is added to the table, and used', '6.2.1', '200', [0x40, 1, 0x61, 1, 0x62, 0xbe]);
hpack('a literal that is not added', '6.2.2', '200', [0x00, 1, 0x61, 1, 0x62]);
hpack('a literal that is not added, and then used', '6.2.2', compression, [0x00, 1, 0x61, 1, 0x62, 0xbe]);
hpack('a literal that is never added', '6.2.3', '200', [0x10, 1, 0x61, 1, 0x62]);
hpack('a literal with a name of the table', '6.2.1', '200', [0x5a, 1, 0x62]);
hpack('a size update behind fields', '4.2', compression, [0x3f, 0xe1, 0x1f]);
hpack('a name longer than its block', '5.2', compression, [0x00, 5, 0x61]);
hpack('a value longer than its block', '5.2', compression, [0x00, 1, 0x61, 5, 0x62]);
hpack('an integer without its end', '5.1', compression, [0x7f, 0xff]);
hpack('an integer that is too large', '5.1', compression, [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
hpack("a value in Huffman's code", '5.2', '200', [0x00, 1, 0x61, 0x81, 0x1f]);
hpack("padding of Huffman's code longer than seven bits", '5.2', compression, [0x00, 1, 0x61, 0x82, 0x1f, 0xff]);
hpack("padding of Huffman's code by zeros", '5.2', compression, [0x00, 1, 0x61, 0x81, 0x18]);
hpack("EOS in Huffman's code", '5.2', compression, [0x00, 1, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff]);
hpack(
  'a literal in more than one byte of length',
  '5.1',
  '200',
  Buffer.concat([Buffer.from([0x00, 1, 0x61]), integer(300, 7), Buffer.alloc(300, 0x62)]),
);
add(
  '7541 4.2',
  'size updates ahead of fields',
  '200',
  headers(Buffer.concat([Buffer.from([0x20, 0x3f, 0xe1, 0x1f]), get])),
);
add(
  '7541 6.3',
  'a size update beyond what SETTINGS allow',
  compression,
  headers(Buffer.concat([Buffer.from([0x3f, 0xe2, 0xff, 0x7f]), get])),
);

// Limits of this server.
add('limits', 'a target that is too long', '414', headers(asked([], `/${'a'.repeat(8200)}`)));
add('limits', 'a field that is too long', '431', headers(asked([['x-a', 'b'.repeat(8200)]])));
add(
  'limits',
  'too many fields',
  '431',
  headers(asked(Array.from({ length: 105 }, (_, at) => [`x-${at}`, 'a'] as const))),
);
add(
  'limits',
  'far too many fields',
  'RST ENHANCE_YOUR_CALM',
  headers(asked(Array.from({ length: 200 }, (_, at) => [`x-${at}`, 'a'] as const))),
);
add(
  'limits',
  'fields that are too large together',
  'RST ENHANCE_YOUR_CALM',
  headers(asked([['x-a', 'b'.repeat(8000)]]), 1),
  ...Array.from({ length: 7 }, (_, at) =>
    frame(Type.continuation, at === 6 ? 4 : 0, 1, block([[`x-${at}`, 'b'.repeat(9000)]])),
  ),
);
add('limits', 'a body that says that it is too long', '413', headers(post([['content-length', '50001']]), open));
add(
  'limits',
  'a body that is too long',
  '413',
  headers(asked([], '/unread', 'POST'), open),
  ...Array.from({ length: 3 }, () => data(0, 1, Buffer.alloc(16384))),
  data(0, 1, Buffer.alloc(16383)),
);

export const cases: readonly Case[] = list.map(([section, title, expected, send, rfc]) =>
  rfc === undefined ? { section, title, expected, send } : { section, title, expected, send, rfc },
);
