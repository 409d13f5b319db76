/**
 * What reads a client's bytes takes time in proportion to how many they are: each input is doubled four times. No machine is
 * quick or idle enough for a limit in milliseconds, so CPU times are compared. Sixteen times the input may take 64 times as much, as
 * what does not fit into a cache is slower; the square would be 256.
 */

import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readHeader } from '../apps/cgi/header.ts';
import fib from '../apps/fib.ts';
import { lines } from '../apps/lines.ts';
import primes from '../apps/primes.ts';
import { decodePath as decodeFilePath } from '../apps/static/open.ts';
import { select } from '../apps/static/select.ts';
import { LazyRequest } from '../src/app/fetch/request.ts';
import { Request as NodeRequest } from '../src/app/node/request.ts';
import { ClientSocket } from '../src/app/node/socket.ts';
import { environMaker } from '../src/app/wsgi/environ.ts';
import { Exchange, type Transport } from '../src/http/exchange.ts';
import { clientHop, hopsOfForwarded, hopsOfList, loadForwarded } from '../src/http/forwarding/client.ts';
import { Trusted } from '../src/http/forwarding/trust.ts';
import { H1Answer } from '../src/http/h1/answer.ts';
import { Gathered } from '../src/http/h1/gathered.ts';
import { readHead } from '../src/http/h2/head.ts';
import { RequestHead } from '../src/http/head.ts';
import { defaultLimits, type Limits } from '../src/http/limits.ts';
import { matcher } from '../src/worker/bulkheads.ts';
import { routeOf } from '../src/worker/overload/routes.ts';
import { readRequest, writeRequest } from '../src/worker/threads/messages.ts';
import { bySize } from './http/cuts.ts';
import { feed } from './http/feed.ts';

const doublings = 4;
const most = 64;
const rounds = 7;
/** Enough for an answer that is far from the limit. */
const fewRounds = 3;
/** The smallest input is one that takes at least this long, so that what does not grow counts for little. */
const leastMs = 0.25;
const largestInput = 2 ** 18;
/** How many times as large the inputs of a second look are. */
const larger = 4;

type Run = (count: number) => unknown;

async function time(run: Run, count: number): Promise<number> {
  const before = process.cpuUsage();
  await run(count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * How many times as long the input doubled four times takes. For a small one, the garbage collector does not run, and memory is
 * there; a large one it has to copy, with as many threads as it likes, in memory that is new. Where that alone makes the
 * difference, there is none between inputs for which both happen; what takes the square of its input still does.
 */
async function growth(run: Run): Promise<number> {
  let count = 64;
  while (count < largestInput && Math.min(await time(run, count), await time(run, count)) < leastMs) count *= 2;
  const first = await growthFrom(run, count);
  return first < most ? first : Math.min(first, await growthFrom(run, count * larger));
}

async function growthFrom(run: Run, count: number): Promise<number> {
  const small: number[] = [];
  const large: number[] = [];
  for (let round = 1; ; round++) {
    small.push(await time(run, count));
    large.push(await time(run, count * 2 ** doublings));
    const found = Math.min(...large) / median(small);
    const isClear = found < most / 2 || found > most * 2;
    if (round === rounds || (round >= fewRounds && isClear)) return found;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** Each must be run on an input made anew: V8 remembers what it found in a text, and joins one only when it is read. */
function expectLinear(runs: Readonly<Record<string, Run>>): void {
  test.each(Object.entries(runs))('%s', async (_, run) => expect(await growth(run)).toBeLessThan(most));
}

/** Without the limits that would end it early, but for the number of fields, which has none. */
const limits: Limits = { requestLineBytes: 0, fieldCount: 10_000_000, fieldBytes: 0, bodyBytes: 0 };
const start = 'POST / HTTP/1.1\r\nHost: example.org\r\n';
const bytes = (text: string) => Buffer.from(text, 'latin1');
const whole = (make: (count: number) => string): Run => {
  return (count) => feed([bytes(make(count))], limits);
};
const field = (make: (count: number) => string) => whole((count) => `${start}${make(count)}\r\n\r\n`);
const chunked = (make: (count: number) => string) =>
  whole((count) => `${start}Transfer-Encoding: chunked\r\n\r\n${make(count)}`);
const cut = (make: (count: number) => string, size = 1): Run => {
  return (count) => feed(bySize(bytes(make(count)), size), limits);
};

describe('request lines', () => {
  expectLinear({
    'a long method': whole((count) => `${'A'.repeat(count)} / HTTP/1.1\r\n`),
    'a method without an end': whole((count) => 'A'.repeat(count)),
    'a long path': whole((count) => `GET /${'a/'.repeat(count)} HTTP/1.1\r\n`),
    'a path with a wrong end': whole((count) => `GET /${'a'.repeat(count)}" HTTP/1.1\r\n`),
    'a long query': whole((count) => `GET /?${'?'.repeat(count)} HTTP/1.1\r\n`),
    'a long host in the target': whole((count) => `GET http://${'a%41'.repeat(count)}/ HTTP/1.1\r\n`),
    'a long wrong host in the target': whole((count) => `GET http://${'a'.repeat(count)}! HTTP/1.1\r\n`),
    'a long authority': whole((count) => `CONNECT ${'a:'.repeat(count)} HTTP/1.1\r\n`),
    'many spaces': whole((count) => `GET${' '.repeat(count)}/ HTTP/1.1\r\n`),
    'a long version': whole((count) => `GET / HTTP/${'1'.repeat(count)}\r\n`),
    'a line byte by byte': cut((count) => `GET /${'a'.repeat(count)}`),
    'a line that ends, byte by byte': cut((count) => `GET /${'a'.repeat(count)} HTTP/1.1\r\n`),
    'a line of carriage returns, byte by byte': cut((count) => `GET /${'\r'.repeat(count)}`),
  });
});

describe('header fields', () => {
  expectLinear({
    'a long name': field((count) => `${'a'.repeat(count)}: 1`),
    'a long wrong name': field((count) => `${'a'.repeat(count)}\t: 1`),
    'a long value': field((count) => `X-A: ${'a '.repeat(count)}`),
    'a long wrong value': field((count) => `X-A: ${'a'.repeat(count)}\x00`),
    'white space around a value': field((count) => `X-A:${' \t'.repeat(count)}a${' \t'.repeat(count)}`),
    'white space inside a value': field((count) => `X-A: a${'\t'.repeat(count)}b`),
    'many fields': field((count) => 'X-A: 1\r\n'.repeat(count)),
    'many different fields': field((count) =>
      Array.from({ length: count }, (_, index) => `X-${index}: 1`).join('\r\n'),
    ),
    'one name in all capitals': field((count) =>
      Array.from({ length: count }, (_, index) => casing(index)).join('\r\n'),
    ),
    'white space in a coding': field((count) => `Transfer-Encoding: a${'\t'.repeat(count)}b`),
    'white space around codings': field((count) => `Transfer-Encoding:${' , \t'.repeat(count)}`),
    'many codings': field((count) => `Transfer-Encoding: ${'gzip,'.repeat(count)}chunked`),
    'codings in many fields': field((count) => 'Transfer-Encoding: a\t\t\t\t\tb\r\n'.repeat(count)),
    'many options of the connection': field((count) => `Connection: ${'close,\t,'.repeat(count)}`),
    'options in many fields': field((count) => 'Connection: close\r\n'.repeat(count)),
    'many expectations': field((count) => `Expect: ${'100-continue , '.repeat(count)}`),
    'a long expectation': field((count) => `Expect: a${' '.repeat(count)}b`),
    'a long length': field((count) => `Content-Length: ${'9'.repeat(count)}`),
    'a long length of zeros': field((count) => `Content-Length: ${'0'.repeat(count)}5`),
    'a wrong length': field((count) => `Content-Length: ${'9'.repeat(count)}x`),
    'a long host': whole((count) => `GET / HTTP/1.1\r\nHost: ${'a%41'.repeat(count)}\r\n\r\n`),
    'a long wrong host': whole((count) => `GET / HTTP/1.1\r\nHost: ${'a%41'.repeat(count)}%4\r\n\r\n`),
    'a long address for a host': whole((count) => `GET / HTTP/1.1\r\nHost: [${':1'.repeat(count)}\r\n\r\n`),
    'a long port': whole((count) => `GET / HTTP/1.1\r\nHost: a:${'1'.repeat(count)}\r\n\r\n`),
    'a field byte by byte': cut((count) => `${start}X-A: ${'a'.repeat(count)}`),
    'fields in pieces': cut((count) => `${start}${'X-A: 1\r\n'.repeat(count)}`, 7),
  });
});

test('800 KB of white space in codings, within the default limits, cost about what 800 KB of letters cost', async () => {
  const head = (fields: string) => bytes(`${start}${fields.repeat(97)}\r\n`);
  const coding = head(`Transfer-Encoding: a${'\t'.repeat(8000)}b\r\n`);
  const letters = head(`X-Any-Other-Field: a${'x'.repeat(8000)}b\r\n`);
  const costs: [number, number][] = [];
  for (let round = 0; round < rounds; round++)
    costs.push([
      await time(() => feed([coding], defaultLimits), 1),
      await time(() => feed([letters], defaultLimits), 1),
    ]);
  // Not quite the same: only codings are taken apart. Before, it was two thousand times as much.
  expect(Math.min(...costs.map(([cost]) => cost))).toBeLessThan(20 * median(costs.map(([, cost]) => cost)));
});

function casing(index: number): string {
  const name = [...'x-name-in-any-case'].map((char, at) => ((index >> at) & 1 ? char.toUpperCase() : char));
  return `${name.join('')}: 1`;
}

describe('bodies', () => {
  expectLinear({
    'many chunks of one byte': chunked((count) => '1\r\na\r\n'.repeat(count)),
    'many chunks of one byte, byte by byte': cut(
      (count) => `${start}Transfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(count)}`,
    ),
    'many extensions of chunks': chunked((count) => '1;a="b\\c";d\r\na\r\n'.repeat(count)),
    'white space in an extension': chunked((count) => `1;a${'\t'.repeat(count)}b\r\n`),
    'many trailers': chunked((count) => `0\r\n${'X-A:\t\t1\r\n'.repeat(count)}\r\n`),
    'a long trailer byte by byte': cut(
      (count) => `${start}Transfer-Encoding: chunked\r\n\r\n0\r\nX-A:${' '.repeat(count)}`,
    ),
    'many requests in one read': whole((count) => 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count)),
    'moving chunks together': (count) => {
      const read = Buffer.alloc(count * 40);
      const gathered = new Gathered();
      for (let at = 0; at < read.length; at += 40) gathered.add(read, at, at + (at % 3 === 0 ? 1 : 30));
      return gathered.take();
    },
  });
});

const transport: Transport = {
  requestIdHeader: 'x-request-id',
  ends: {
    local: { address: '127.0.0.1', port: '8000' },
    remote: { address: '127.0.0.1', port: '1234' },
    scheme: 'http',
  },
  answer: new H1Answer({ sendText: () => true, sendBytes: () => true }),
  pendingBytes: 0,
  whenTaken: () => {},
  pauseBody: () => {},
  resumeBody: () => {},
  mayPersist: () => true,
  finish: () => {},
  cut: () => {},
  hangUp: () => {},
  extendDeadline: () => {},
  waitFor: () => {},
  logFailure: () => {},
};

function exchangeOf(text: string): Exchange {
  const [request] = feed([bytes(text)], limits).requests;
  return new Exchange(request!.head, transport, 0);
}

/** A request with a long path, and one with many fields of one name, of different names, and cookies. */
const heads: Readonly<Record<string, (count: number) => string>> = {
  'a long path': (count) => `GET /${'a%41/'.repeat(count)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a path of backslashes': (count) => `GET /${'\\'.repeat(count)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a path of dots': (count) => `GET /${'../.%2e/'.repeat(count)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a path of wrong escapes': (count) => `GET /${'%'.repeat(count)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a long query': (count) => `GET /?${'a=%41&'.repeat(count)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'a long host': (count) => `GET / HTTP/1.1\r\nHost: ${'a.'.repeat(count)}\r\n\r\n`,
  'many fields of one name': (count) => `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: 1\r\n'.repeat(count)}\r\n`,
  'many cookies': (count) => `GET / HTTP/1.1\r\nHost: a\r\n${'Cookie: a=b\r\n'.repeat(count)}\r\n`,
};

const makeEnviron = environMaker({ multithread: false, multiprocess: false, onErrorLine: () => {} });

const interfaces: Readonly<Record<string, (exchange: Exchange) => unknown>> = {
  wsgi: (exchange) => Object.values(makeEnviron(exchange)).join(''),
  fetch(exchange) {
    try {
      const request = new LazyRequest(exchange);
      return [request.url, ...request.headers].join('');
    } catch {
      // A host that no URL can have is answered 400.
      return '';
    }
  },
  node(exchange) {
    const request = new NodeRequest(exchange, new ClientSocket(transport, new EventEmitter()));
    return JSON.stringify([request.url, request.headers, request.rawHeaders]);
  },
  'a thread’s message': ({ head }) => readRequest(writeRequest(1, head, transport.ends, true)),
};

describe.each(Object.entries(interfaces))('a request as %s has it', (_, show) => {
  expectLinear(
    Object.fromEntries(Object.entries(heads).map(([name, make]) => [name, (count) => show(exchangeOf(make(count)))])),
  );
});

test('a log line of wsgi.errors that comes in many pieces', async () => {
  const pieces: Run = (count) => {
    const env = makeEnviron(exchangeOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    for (let index = 0; index < count; index++) env['wsgi.errors'].write('a');
    env['wsgi.errors'].write('\n');
  };
  expect(await growth(pieces)).toBeLessThan(most);
});

describe('the apps', () => {
  const version = { etag: '"abc"', lastModified: new Date(0).toUTCString() };
  const asked = (name: string, make: (count: number) => string): Run => {
    return (count) => select({ REQUEST_METHOD: 'GET', [name]: make(count) } as never, version, 1000);
  };
  const called = (app: typeof fib, env: (count: number) => Record<string, unknown>): Run => {
    return (count) =>
      app({ REQUEST_METHOD: 'GET', PATH_INFO: '/', QUERY_STRING: '', ...env(count) } as never, () => async () => {});
  };
  const inPieces = (text: string, size: number) => Readable.from(bySize(bytes(text), size))[Symbol.asyncIterator]();
  const body = (text: string) => ({ REQUEST_METHOD: 'POST', 'wsgi.input': Readable.from([bytes(text)]) });
  expectLinear({
    'static: many ranges': asked('HTTP_RANGE', (count) => `bytes=${'0-1,'.repeat(count)}`),
    'static: many last bytes': asked('HTTP_RANGE', (count) => `bytes=${',  -5'.repeat(count)}`),
    'static: white space in ranges': asked('HTTP_RANGE', (count) => `bytes=,${' '.repeat(count)}x`),
    'static: digits of a range': asked('HTTP_RANGE', (count) => `bytes=-${'9'.repeat(count)}`),
    'static: many tags to match': asked('HTTP_IF_MATCH', (count) => '"a" , '.repeat(count)),
    'static: many tags not to match': asked('HTTP_IF_NONE_MATCH', (count) => 'W/"a" , '.repeat(count)),
    'static: white space in a tag': asked('HTTP_IF_NONE_MATCH', (count) => `a${' '.repeat(count)}b`),
    'static: a long date': asked('HTTP_IF_MODIFIED_SINCE', (count) => ' '.repeat(count)),
    'static: a long path': (count) => decodeFilePath(`/${'a/'.repeat(count)}\\`),
    'fib: a long number': called(fib, (count) => ({ PATH_INFO: `/${'1'.repeat(count)}x` })),
    'fib: many parameters': called(fib, (count) => ({ QUERY_STRING: 'a=%31&'.repeat(count) })),
    'primes: white space in a list': called(primes, (count) => ({ QUERY_STRING: `n=1${'+'.repeat(count)}x` })),
    'primes: a list of commas': called(primes, (count) => ({ QUERY_STRING: `n=${',+'.repeat(count)}` })),
    'primes: a list in a body': called(primes, (count) => body(`${'1 ,'.repeat(count)}x`)),
    async 'lines: a long line in pieces'(count) {
      for await (const line of lines(Readable.from(bySize(bytes('a'.repeat(count)), 2)), 64)) void line;
    },
    'cgi: a header in pieces': (count) => readHeader(inPieces(`X-A: ${'a'.repeat(count)}`, 1)).catch(() => {}),
  });
});

describe('what proxies say, heads of HTTP/2, and routes', () => {
  loadForwarded();
  const trusted = new Trusted(['10.0.0.0/8']);
  /** Refused or not, it takes its time. */
  const read = (raw: readonly string[]) => {
    try {
      readHead(new RequestHead(), [':method', 'GET', ':path', '/', ':authority', 'h', ...raw], true, limits);
    } catch {}
  };
  const fields = (count: number, name: (index: number) => string, value = 'v') =>
    Array.from({ length: count }, (_, index) => [name(index), value]).flat();
  const forwarded = (value: string) => {
    try {
      clientHop(hopsOfForwarded([value]), trusted);
    } catch {}
  };
  const matches = matcher('/*a*b*c*d');
  expectLinear({
    'X-Forwarded-For: many proxies': (count) => clientHop(hopsOfList(['10.0.0.1, '.repeat(count)]), trusted),
    'X-Forwarded-For: many strangers': (count) => clientHop(hopsOfList(['x, '.repeat(count)]), trusted),
    'X-Forwarded-For: white space': (count) => hopsOfList([`1${' '.repeat(count)}2`]),
    'X-Forwarded-For: digits': (count) => hopsOfList([`[::1]:${'9'.repeat(count)}x`]),
    'Forwarded: many hops': (count) => forwarded(`${'for=10.0.0.1;proto=https, '.repeat(count)}for=1.1.1.1`),
    'Forwarded: a quoted text without an end': (count) => forwarded(`for="${'\\"'.repeat(count)}`),
    'Forwarded: white space': (count) => forwarded(`for=1${' \t'.repeat(count)};`),
    'HTTP/2: many fields': (count) => read(fields(count, (index) => `x-${index}`)),
    'HTTP/2: one field many times': (count) => read(fields(count, () => 'x-a')),
    'HTTP/2: many cookies': (count) => read(fields(count, () => 'cookie', 'a=b')),
    'HTTP/2: a long value': (count) => read(['x-a', 'a '.repeat(count)]),
    'a pattern of routes': (count) => matches(`/${'abc'.repeat(count)}`),
    'the route of a long path': (count) => routeOf('GET', 'a/'.repeat(count)),
  });
});
