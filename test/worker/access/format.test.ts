/** What is in a line of the access log, and what can never be. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, readFormat } from '../../../src/config/values/access-atoms.ts';
import { jsonFieldNames, readJsonField, saysCpu } from '../../../src/config/values/access-fields.ts';
import type { Entry, Writer } from '../../../src/worker/access/entry.ts';
import { compileFormat } from '../../../src/worker/access/format.ts';
import { Lines } from '../../../src/worker/access/lines.ts';
import { skipper } from '../../../src/worker/access/skip.ts';
import { madeUpEntry, madeUpHead, origin } from './entries.ts';

function written(writer: Writer, entry: Entry): string {
  const lines = new Lines();
  writer(entry, lines);
  return lines.take().toString('latin1');
}

const write = (format: string, entry = madeUpEntry(), env = {}) =>
  written(compileFormat(format, origin, [], env), entry);

describe('an atom', () => {
  test.each([
    ['h', '10.0.0.7'],
    ['l', '-'],
    ['u', 'ann'],
    ['r', 'GET /a%20b?c=d HTTP/1.1'],
    ['m', 'GET'],
    ['U', '/a%20b'],
    ['q', 'c=d'],
    ['H', 'HTTP/1.1'],
    ['s', '200'],
    ['B', '1234'],
    ['b', '1234'],
    ['f', 'http://r/'],
    ['a', 'curl'],
    ['T', '1'],
    ['M', '1234'],
    ['D', '1234567'],
    ['L', '1.234568'],
    ['p', '<42>'],
    ['{user-agent}i', 'curl'],
    ['{User-Agent}i', 'curl'],
    ['{x-none}i', '-'],
    ['{tsgun.cpuMs}e', '-'],
    ['{tsgun.receivedBytes}e', '5'],
    ['{X-CACHE}o', 'HIT'],
    ['{x-none}o', '-'],
    ['{REMOTE_PORT}e', '5678'],
    ['{HTTP_REFERER}e', 'http://r/'],
    ['{tsgun.requestId}e', 'id-1'],
    ['{REGION}e', 'eu'],
    ['{NONE}e', '-'],
  ])('%s is %s', (atom, text) => {
    expect(write(`%(${atom})s`, undefined, { REGION: 'eu' })).toBe(`${text}\n`);
  });

  test('%(t)s is the local time in the form of Apache', () => {
    expect(write('%(t)s')).toMatch(/^\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]\n$/);
  });

  test('without a value is a hyphen', () => {
    const nothing = madeUpEntry({
      head: madeUpHead({ method: '', target: '', path: '', query: '' }),
      status: undefined,
    });
    const line = write('%(u)s %(r)s %(m)s %(U)s %(s)s %(b)s %(B)s %(f)s %(a)s', { ...nothing, sentBytes: 0 });
    expect(line).toBe('- - - - - - 0 - -\n');
  });

  test('a raw connection has its client in the place of a path', () => {
    const raw = madeUpEntry({ head: undefined, status: undefined, outcome: 'answered' });
    expect(write('%(m)s %(U)s "%(r)s" %(s)s %(B)s', raw)).toBe('TCP 10.0.0.7:5678 "TCP 10.0.0.7:5678" - 1234\n');
    expect(JSON.parse(write('json', raw))).toMatchObject({ method: 'TCP', protocol: 'TCP', status: null, bytes: 1234 });
  });

  test('stands between text as it is written, and %% is a percent sign', () => {
    expect(write('a"%(s)s"é%%(b)')).toBe('a"200"\\xC3\\xA9%(b)\n');
  });
});

test('the combined format is that of Apache and nginx', () => {
  expect(write('combined')).toMatch(
    /^10\.0\.0\.7 - ann \[[^\]]+\] "GET \/a%20b\?c=d HTTP\/1\.1" 200 1234 "http:\/\/r\/" "curl"\n$/,
  );
});

test('a JSON line has all that is known', () => {
  const traced = madeUpEntry({ queueMs: 0.5, head: madeUpHead({}, [['traceparent', '00-ab-cd-01']]) });
  const { time, requestId, ...rest } = JSON.parse(write('json', traced));
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  expect(requestId).toMatch(/^[\da-f]+-[\da-z]+$/);
  expect(rest).toEqual({
    remoteAddr: '10.0.0.7',
    method: 'GET',
    path: '/a%20b',
    query: 'c=d',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 1234,
    receivedBytes: 5,
    durationMs: 1234.568,
    queueMs: 0.5,
    traceparent: '00-ab-cd-01',
    outcome: 'answered',
    worker: 3,
    class: 'async',
    pid: 42,
  });
});

describe('fields of a JSON line', () => {
  const line = (...fields: string[]) => written(compileFormat('json', origin, fields), madeUpEntry({ cpuMs: 1.5 }));

  test('are those that were asked for, in their order, under the names that were given', () => {
    const fields = ['status', 'url.path=path', '{x-request-id}i', 'cache={X-Cache}o', 'took={tsgun.cpuMs}e', 'worker'];
    expect(line(...fields)).toBe(
      '{"status":200,"url.path":"/a%20b","x-request-id":"id-1","cache":"HIT","took":"1.5","worker":3}\n',
    );
  });

  test('that are not known are left out', () => {
    expect(line('traceparent', 'queueMs', '{x-none}i')).toBe('{}\n');
    expect(JSON.parse(line('queueMs', 'cpuMs', '{x-none}i'))).toEqual({ cpuMs: 1.5 });
  });

  test('are by default all that there are, and each can be asked for', () => {
    const entry = madeUpEntry({
      queueMs: 1,
      cpuMs: 2,
      head: madeUpHead({}, [
        ['Referer', 'r'],
        ['User-Agent', 'a'],
        ['traceparent', 't'],
        ['X-Request-Id', 'i'],
      ]),
    });
    const { time: _, ...all } = JSON.parse(written(compileFormat('json', origin), entry));
    const { time, ...named } = JSON.parse(written(compileFormat('json', origin, jsonFieldNames), entry));
    expect(time).toMatch(/^\d{4}-/);
    expect(named).toEqual(all);
    expect(Object.keys(named)).toEqual(jsonFieldNames.slice(1));
  });

  test.each([
    ['statuss', 'write status'],
    ['xyzzy', "write {xyzzy}i for a request's field"],
    ['{x}q', undefined],
    ['', undefined],
  ])('%j is refused', (field, remedy) => {
    expect(() => readJsonField(field)).toThrow(expect.objectContaining({ remedy }));
  });

  test.each([
    ['json', [], true],
    ['json', ['status'], false],
    ['json', ['took={tsgun.cpuMs}e'], true],
    ['combined', [], false],
    ['%(h)s %({tsgun.cpuMs}e)s', [], true],
  ])('of the format %j: whether CPU time is measured for %j', (format, fields, isMeasured) => {
    expect(saysCpu(format, fields)).toBe(isMeasured);
  });
});

describe('a format is refused', () => {
  test.each([
    ['%(x)s', /one of the atoms h l u/, "write %({x}i)s for a request's field"],
    ['%(S)s', /one of the atoms/, 'write %(s)s'],
    ['%(status)s', /one of the atoms/, 'write %(s)s'],
    ['%(user-agent)s', /one of the atoms/, 'write %(a)s'],
    ['%({referer})s', /one of the atoms/, 'write %({referer}i)s'],
    ['%(h)d', /an "s" behind each atom/, 'write %(h)s'],
    ['%h %l', /an atom such as/, 'write %(h)s'],
    ['100%', /an atom such as/, 'write %% for a percent sign'],
    ['jsn', /"combined", "json" or a format/, 'write json'],
    ['%(h)s\n', /without control characters/, 'write spaces between the atoms'],
  ])('%j, with what to write instead', (format, message, remedy) => {
    const refusal = () => readFormat(format);
    expect(refusal).toThrow(FormatError);
    expect(refusal).toThrow(message);
    expect(refusal).toThrow(expect.objectContaining({ remedy }));
  });
});

describe('no line is forged', () => {
  test('by quotes, line ends, escapes or bytes beyond ASCII', () => {
    const head = madeUpHead({ target: '/"\\\n\x1b[31m\xe9' }, [['User-Agent', 'a" 200 "\t\x7f']]);
    expect(write('"%(r)s" "%(a)s"', madeUpEntry({ head }))).toBe(
      '"GET /\\x22\\x5C\\x0A\\x1B[31m\\xE9 HTTP/1.1" "a\\x22 200 \\x22\\x09\\x7F"\n',
    );
    const json = write('json', madeUpEntry({ head: madeUpHead({ path: '/"\\\n\xe9' }) }));
    expect(json).toContain('"path":"/\\"\\\\\\u000A\\u00E9"');
    expect(JSON.parse(json)).toMatchObject({ path: '/"\\\n\xe9' });
  });

  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1'));
  const anyText = fc.oneof(bytes, fc.string({ unit: 'binary' }));
  const everything =
    '"%(r)s" %(h)s %(u)s %(m)s %(U)s %(q)s %(f)s %(a)s %({x-a}i)s %({x-b}o)s %({V}e)s %({HTTP_X_A}e)s %({tsgun.requestId}e)s';

  test.each(['combined', 'json', everything])('by any byte of a request, in the format %s', (format) => {
    const request = fc.record({ target: anyText, path: anyText, query: anyText, method: anyText });
    fc.assert(
      fc.property(request, anyText, anyText, anyText, (head, field, given, variable) => {
        const fields = ['Referer', 'User-Agent', 'X-A', 'traceparent', 'X-Request-Id', 'Authorization'];
        const credentials = `Basic ${Buffer.from(`${given}:p`).toString('base64')}`;
        const values = fields.map((name) => [name, name === 'Authorization' ? credentials : field] as const);
        const entry = madeUpEntry({ head: madeUpHead(head, values), answer: { responseFields: [['X-B', given]] } });
        const line = write(format, entry, { V: variable });
        expect(line).toMatch(/^[\x20-\x7e]*\n$/);
        if (format !== 'json') return;
        expect(JSON.parse(line)).toMatchObject({ method: head.method, path: head.path, userAgent: field });
      }),
    );
  });

  test('by a quote in a field of the combined format: there are six quotes, whatever is sent', () => {
    fc.assert(
      fc.property(anyText, anyText, (target, agent) => {
        const head = madeUpHead({ target }, [['User-Agent', agent]]);
        expect(write('combined', madeUpEntry({ head })).match(/"/g)).toHaveLength(6);
      }),
    );
  });
});

describe('a request id', () => {
  test.each(['two words', '', 'x'.repeat(129), 'caf\xe9'])('of %j is replaced', (given) => {
    const entry = madeUpEntry({ head: madeUpHead({}, [['X-Request-Id', given]]) });
    expect(JSON.parse(write('json', entry)).requestId).toMatch(/^[\da-f]{18}-[\da-z]+$/);
  });
});

test('paths are skipped whole, or by how they begin', () => {
  const skips = skipper(['/health', '/assets/*'])!;
  expect(['/health', '/assets/a.js', '/healthy', '/asset'].map(skips)).toEqual([true, true, false, false]);
  expect(skipper([])).toBeUndefined();
});
