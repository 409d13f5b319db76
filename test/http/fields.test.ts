import { describe, expect, test } from 'vitest';
import { lookUpField } from '../../src/http/fields.ts';

describe('field names (RFC 9110 §5.1)', () => {
  test.each([
    ['Accept', 'accept', 'other', 'HTTP_ACCEPT'],
    ['X-Forwarded-For', 'x-forwarded-for', 'forwarded', 'HTTP_X_FORWARDED_FOR'],
    ['CONTENT-TYPE', 'content-type', 'content-type', 'CONTENT_TYPE'],
    ['content-length', 'content-length', 'content-length', 'CONTENT_LENGTH'],
    ['hOST', 'host', 'host', 'HTTP_HOST'],
    ['Connection', 'connection', 'connection', 'HTTP_CONNECTION'],
    ['Transfer-Encoding', 'transfer-encoding', 'transfer-encoding', 'HTTP_TRANSFER_ENCODING'],
    ['Expect', 'expect', 'expect', 'HTTP_EXPECT'],
    ['Upgrade', 'upgrade', 'upgrade', 'HTTP_UPGRADE'],
    ['Keep-Alive', 'keep-alive', 'hop-by-hop', 'HTTP_KEEP_ALIVE'],
    ['TE', 'te', 'hop-by-hop', 'HTTP_TE'],
    ['a.b~c', 'a.b~c', 'other', 'HTTP_A.B~C'],
  ])('%s is %s to us, means %s, and is %s in an environ', (name, lower, kind, environKey) => {
    expect(lookUpField(name)).toMatchObject({ lower, kind, environKey });
    expect(lookUpField(name), 'the second time').toMatchObject({ lower, kind, environKey });
  });

  test.each(['X_Real_Ip', '_', 'Content_Length', 'Transfer_Encoding'])(
    '%s has no place in an environ, where it would overwrite another',
    (name) => expect(lookUpField(name)).toMatchObject({ kind: 'other', environKey: undefined }),
  );

  test.each(['', ' ', 'A ', ' A', 'A:', 'A\t', 'A\x00', 'é', 'A(B)', 'A\r', 'A\n'])('%j is no name', (name) =>
    expect(lookUpField(name)).toBeUndefined(),
  );

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a name like any other', (name) =>
    expect(lookUpField(name)?.lower).toBe(name.toLowerCase()),
  );

  test('names that are too many or too long to remember are still described', () => {
    for (let index = 0; index < 3000; index++) expect(lookUpField(`X-Field-${index}`)?.lower).toBe(`x-field-${index}`);
    const long = `X-${'a'.repeat(8000)}`;
    expect(lookUpField(long)?.lower).toBe(long.toLowerCase());
    expect(lookUpField('Host')?.kind).toBe('host');
  });
});
