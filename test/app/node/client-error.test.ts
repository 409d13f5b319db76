import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeOf, codes } from '../../../src/app/node/client-error.ts';
import { HttpError } from '../../../src/http/errors.ts';
import { RequestParser } from '../../../src/http/h1/parser.ts';
import { defaultLimits } from '../../../src/http/limits.ts';

const folder = 'src/http';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const sources = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');

it.each(Object.keys(codes))(
  'the text "%s", which has a code of Node, is the text of an error that the server throws',
  (text) => {
    expect(sources).toContain(`'${text}'`);
  },
);

it('a transfer coding that is not served has the code that Node gives it', () => {
  const sink = { onHead() {}, onBody() {}, onEnd() {} };
  const bytes = Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n');
  const feed = () => new RequestParser(defaultLimits, sink).feed(bytes, 0, bytes.length);
  expect(feed).toThrow(HttpError);
  let code: string | undefined;
  try {
    feed();
  } catch (error) {
    code = codeOf(error as HttpError);
  }
  expect(code).toBe('HPE_INVALID_TRANSFER_ENCODING');
});
