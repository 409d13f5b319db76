/** The versions of HTTP that are spoken: `h1`, `h2` over TLS, and `h2c`, which is HTTP/2 without TLS. */

import { Expected, type Parser, parser } from './parser.ts';

const versions: readonly string[] = ['h1', 'h2', 'h2c'];
const one = '(h1|h2|h2c)';
const expected = 'one or more of h1, h2, h2c';

/** One or a list; in the environment and on the command line they are separated by commas. */
export const httpVersions: Parser<readonly ('h1' | 'h2' | 'h2c')[], string | readonly ('h1' | 'h2' | 'h2c')[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: `^${one}( ?, ?${one})*$` },
      { type: 'array', items: { type: 'string', enum: versions }, minItems: 1 },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list) || list.length === 0) throw new Expected(expected);
    for (const each of list) if (!versions.includes(each as string)) throw new Expected(expected, each);
    return [...new Set(list as ('h1' | 'h2' | 'h2c')[])];
  },
);

/** What cannot be served. @param hasPlain whether an address is served without TLS */
export function httpProblems(http: readonly string[], hasPlain: boolean, hasTls: boolean): string[] {
  const problems: string[] = [];
  if (hasPlain && !http.includes('h1') && !http.includes('h2c'))
    problems.push('http: an address without TLS needs h1 or h2c: h2 is for TLS');
  if (hasTls && !http.includes('h1') && !http.includes('h2'))
    problems.push('http: an address with TLS needs h1 or h2: h2c is for addresses without TLS');
  return problems;
}
