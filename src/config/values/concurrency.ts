/** The setting `limitConcurrency`: how many requests to a route may run at once. */

import { Expected, type Parser, parser } from './parser.ts';

export interface ConcurrencyLimit {
  /** A path, in which `*` stands for any text. */
  readonly pattern: string;
  readonly limit: number;
}

const form = /^([/*][^\s?#,]*)=([1-9]\d{0,8})$/;
const formText = form.source.slice(1, -1);

/** `PATTERN=N`, or a list of them; in the environment they are separated by commas. */
export const concurrencyLimits: Parser<readonly ConcurrencyLimit[], string | readonly string[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: `^${formText}(?:, *${formText})*$` },
      { type: 'array', items: { type: 'string', pattern: form.source } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected('PATTERN=N, or a list of them');
    return list.map(readLimit);
  },
  (limits) => limits.map(({ pattern, limit }) => `${pattern}=${limit}`),
);

function readLimit(text: unknown): ConcurrencyLimit {
  const [, pattern, limit] = (typeof text === 'string' && form.exec(text)) || [];
  if (pattern !== undefined) return { pattern, limit: Number(limit) };
  const isRelative = typeof text === 'string' && /^[^\s?#=/*][^\s?#]*=[1-9]\d*$/.test(text);
  throw new Expected(
    'PATTERN=N, with a path that begins with "/" or "*" and a whole number of at least 1',
    text,
    isRelative ? `write /${text}` : undefined,
  );
}
