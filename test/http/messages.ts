/** Random requests for property tests: valid ones with what must be read out of them, and edits that break them. */

import fc from 'fast-check';

export interface Sent {
  readonly text: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const letters = (alphabet: string, constraints: { minLength?: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...alphabet), ...constraints });

const tokens = letters("abcXYZ019!#$%&'*+-.^_`|~", { minLength: 1, maxLength: 8 });
const targets = letters('abz019/-._~%?=&;:@{}|', { maxLength: 20 }).map((text) => `/${text}`);
const fieldValues = letters('ab 01\t,;:="\\\xe9\xff', { maxLength: 20 });
const fieldNames = tokens.map((token) => `x-${token}`);
const whitespace = letters(' \t', { maxLength: 2 });
/** No letter of it can make a request line, so that a broken body cannot be one. */
const bodies = letters('ab\r\n\0\xff:;0', { maxLength: 60 });

const fieldLists = fc.array(fc.tuple(fieldNames, whitespace, fieldValues, whitespace), { maxLength: 6 });
const extensions = fc.option(
  fc.tuple(tokens, fc.option(fc.oneof(tokens, fc.constant('"q;\\"\xff"')), { nil: undefined })),
  { nil: undefined },
);
const chunkLists = fc.array(fc.tuple(bodies, extensions, fc.boolean()), { maxLength: 4 });

const framings = fc.oneof(
  fc.constant({ field: [] as [string, string][], wire: '', body: '' }),
  fc.tuple(bodies, fc.boolean()).map(([body, isPadded]) => ({
    field: [['content-length', `${isPadded ? '0' : ''}${body.length}`]] as [string, string][],
    wire: body,
    body,
  })),
  fc.tuple(chunkLists, fieldLists).map(([chunks, trailers]) => {
    const filled = chunks.filter(([data]) => data !== '');
    const wire = filled.map(([data, extension, isUpper]) => {
      const size = data.length.toString(16);
      return `${isUpper ? size.toUpperCase() : size}${extensionText(extension)}\r\n${data}\r\n`;
    });
    return {
      field: [['transfer-encoding', 'chunked']] as [string, string][],
      wire: `${wire.join('')}0\r\n${trailers.map(fieldLine).join('')}\r\n`,
      body: filled.map(([data]) => data).join(''),
    };
  }),
);

const requests: fc.Arbitrary<Sent> = fc
  .tuple(fc.nat(3), tokens, targets, fieldLists, framings, fc.nat(20))
  .map(([emptyLines, token, target, extra, { field, wire, body }, place]) => {
    const method = token === 'CONNECT' ? 'GET' : token;
    const lines = extra.map((each) => ({ line: fieldLine(each), field: [each[0], trimmed(each[2])] as const }));
    // The fields that matter stand somewhere between the others.
    const own = [['host', 'example.org'] as const, ...field].map((each) => ({
      line: `${each[0]}: ${each[1]}\r\n`,
      field: each,
    }));
    lines.splice(place % (lines.length + 1), 0, ...own);
    const head = `${method} ${target} HTTP/1.1\r\n${lines.map(({ line }) => line).join('')}\r\n`;
    const text = `${'\r\n'.repeat(emptyLines)}${head}${wire}`;
    return { text, method, target, fields: lines.map(({ field }) => field), body };
  });

/** One to four requests on one connection. */
export const conversations: fc.Arbitrary<Sent[]> = fc.array(requests, { minLength: 1, maxLength: 4 });

export type Edit =
  | { readonly kind: 'replace' | 'insert'; readonly at: number; readonly byte: number }
  | { readonly kind: 'delete'; readonly at: number; readonly count: number }
  | { readonly kind: 'truncate'; readonly at: number };

const positions = fc.nat(2000);
const bytes = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 9, 10, 11, 13, 32, 0x30, 0x2c, 0x3a, 0x3b));

/** Small enough that no edit, nor several, can make a request where none was sent. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('replace' as const), at: positions, byte: bytes }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: positions, byte: bytes }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('delete' as const),
        at: positions,
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: positions }) },
  ),
  { minLength: 1, maxLength: 5 },
);

/** Positions are taken modulo the length, so that every edit hits. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  return edits.reduce((edited, edit) => {
    const at = edit.at % (edited.length + 1);
    const before = edited.slice(0, at);
    if (edit.kind === 'truncate') return before;
    if (edit.kind === 'delete') return before + edited.slice(at + edit.count);
    const byte = String.fromCharCode(edit.byte);
    return before + byte + edited.slice(edit.kind === 'insert' ? at : at + 1);
  }, text);
}

function fieldLine([name, before, value, after]: [string, string, string, string]): string {
  return `${name}:${before}${value}${after}\r\n`;
}

function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

function extensionText(extension: [name: string, value: string | undefined] | undefined): string {
  if (extension === undefined) return '';
  const [name, value] = extension;
  return value === undefined ? `;${name}` : `;${name}=${value}`;
}
