/** Parsers for the values of settings, by kind: numbers, times, words, texts. Those for addresses and the like have files of their own. */

import { usableCpus } from '../machine/cpus.ts';
import { nearest } from '../names/suggest.ts';
import { Expected, type Parser, parser } from './parser.ts';

function numberFrom(raw: unknown): number {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && /^\d+(\.\d+)?$/.test(raw.trim()) ? Number(raw) : Number.NaN;
}

const timeUnits: Units = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600 };

/** Of the value, by the first letter of a unit. */
type Units = Readonly<Record<string, number>>;

/** A hint for a value with a unit, such as `30s` or `10MB`. */
function withoutUnit(raw: unknown, units: Units): string | undefined {
  const text = typeof raw === 'string' ? raw.trim().toLowerCase() : '';
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(text) ?? [];
  const factor = Object.entries(units).find(([name]) => name === unit || name === unit.replace(/i?b$/, ''))?.[1];
  return digits === undefined || factor === undefined ? undefined : `write ${Number(digits) * factor}`;
}

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER, units: Units = {}): Parser<number> {
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  const bounds = { minimum: least, ...(most === Number.MAX_SAFE_INTEGER ? {} : { maximum: most }) };
  return parser({ type: 'integer', ...bounds }, (raw) => {
    const value = numberFrom(raw);
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new Expected(`a whole number ${upTo}`, undefined, withoutUnit(raw, units));
    return value;
  });
}

export function bytes(least: number): Parser<number> {
  return wholeNumber(least, undefined, { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 });
}

/** A whole number of MiB. */
export function mebibytes(least: number): Parser<number> {
  return wholeNumber(least, undefined, { m: 1, g: 2 ** 10 });
}

/** The longest time a timer of Node's can hold, in seconds: 2^31 - 1 ms. */
const longestSeconds = 2_147_483;

/** A time in seconds, fractions allowed. */
export function seconds(least = 0): Parser<number> {
  return parser({ type: 'number', minimum: least, maximum: longestSeconds }, (raw) => {
    const value = numberFrom(raw);
    if (!Number.isFinite(value) || value < least || value > longestSeconds)
      throw new Expected(
        `a time in seconds from ${least} to ${longestSeconds}`,
        undefined,
        withoutUnit(raw, timeUnits),
      );
    return value;
  });
}

/** A time in seconds, or 0 for never. */
export function secondsOrNever(least: number): Parser<number> {
  const parse = seconds();
  return parser({ anyOf: [{ enum: [0] }, { ...parse.schema, minimum: least }] }, (raw) => {
    const value = parse(raw);
    if (value !== 0 && value < least) throw new Expected(`a time in seconds of at least ${least}, or 0 for never`);
    return value;
  });
}

const words = new Map<unknown, boolean>([
  ...[true, 'true', 'yes', '1'].map((word) => [word, true] as const),
  ...[false, 'false', 'no', '0'].map((word) => [word, false] as const),
]);

/** True or false; in the environment and on the command line also as yes or no, 1 or 0. */
export const flag = parser<boolean>({ type: 'boolean' }, (raw) => {
  const value = words.get(typeof raw === 'string' ? raw.toLowerCase() : raw);
  if (value === undefined) throw new Expected('true or false');
  return value;
});

/** True or false as `flag` takes them; or, where yes may be refused, `force`. */
export const flagOrForce = parser<boolean | 'force'>({ anyOf: [{ type: 'boolean' }, { enum: ['force'] }] }, (raw) => {
  if (raw === 'force') return raw;
  try {
    return flag(raw);
  } catch {
    throw new Expected('true, false or "force"');
  }
});

/** A worker count, or `auto`: as many as this process may use CPUs. */
export const workerCount = parser<number, number | 'auto'>(
  { anyOf: [{ type: 'integer', minimum: 1, maximum: 1024 }, { enum: ['auto'] }] },
  (raw) => {
    if (raw === 'auto') return usableCpus();
    const value = numberFrom(raw);
    if (!Number.isSafeInteger(value) || value < 1 || value > 1024)
      throw new Expected('a positive whole number up to 1024 or "auto"');
    return value;
  },
);

/** One of a few words. */
export function choice<const T extends string>(...words: T[]): Parser<T> {
  return choiceOf({}, ...words);
}

/** @param meant what other programs call some of the words */
export function choiceOf<const T extends string>(meant: Readonly<Record<string, T>>, ...words: T[]): Parser<T> {
  return parser({ enum: words }, (raw) => {
    const found = words.find((word) => word === raw);
    if (found !== undefined) return found;
    const text = typeof raw === 'string' ? raw : '';
    const guess = Object.hasOwn(meant, text) ? meant[text] : nearest(text, words);
    throw new Expected(`one of ${words.join(', ')}`, undefined, guess === undefined ? undefined : `write ${guess}`);
  });
}

/** One of a few words in small letters; capitals are taken for them. */
export function choiceInAnyCase<const T extends string>(...words: T[]): Parser<T> {
  const parse = choice(...words);
  return parser(parse.schema, (raw) => parse(typeof raw === 'string' ? raw.toLowerCase() : raw));
}

/** `null` in a config file says "not set", which is the default of such a setting. */
export function optional<T, Form>(parse: Parser<T, Form>): Parser<T | undefined, Form | null> {
  return parser(
    { anyOf: [parse.schema, { type: 'null' }] },
    (raw) => (raw === null ? undefined : parse(raw)),
    (value) => (value === undefined ? null : parse.show(value)),
  );
}

/** A file mode mask: octal digits as text, such as 022 or 0o22, or a number, which is what it is: 18 for 022. */
export const fileMask = parser<number, string | number>(
  {
    anyOf: [
      { type: 'string', pattern: '^(0[oO]?)?[0-7]{1,3}$' },
      { type: 'integer', minimum: 0, maximum: 0o777 },
    ],
  },
  (raw) => {
    if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= 0o777) return raw;
    const digits = typeof raw === 'string' ? /^(?:0o?)?([0-7]{1,3})$/i.exec(raw.trim())?.[1] : undefined;
    if (digits === undefined) throw new Expected('octal digits such as 022 or 0o22, or a number from 0 to 511');
    return Number.parseInt(digits, 8);
  },
  (mask) => mask.toString(8).padStart(3, '0'),
);

/** A user or group: its name, or its number as digits. Whether it exists is checked elsewhere. */
export const account = parser<string, string | number>(
  {
    anyOf: [
      { type: 'string', pattern: '^(\\d{1,9}|[^\\s\\d:/-][^\\s:/]*)$' },
      { type: 'integer', minimum: 0, maximum: 2 ** 32 - 2 },
    ],
  },
  (raw) => {
    const text = typeof raw === 'number' ? String(raw) : raw;
    if (typeof text !== 'string' || !/^(\d{1,10}|[^\s\d:/-][^\s:/]*)$/.test(text) || Number(text) >= 2 ** 32 - 1)
      throw new Expected('a name or a number');
    return text;
  },
);

/** Variables for the environment: an object, a list of `NAME=VALUE`, or lines of them. */
export const variables = parser<Readonly<Record<string, string>>, Variables>(
  {
    anyOf: [
      {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
      },
      { type: 'array', items: { type: 'string', pattern: '^[^=]+=' } },
    ],
  },
  (raw) => {
    const given = typeof raw === 'string' ? raw.split('\n').filter((line) => line.trim() !== '') : raw;
    if (typeof given !== 'object' || given === null) throw new Expected('NAME=VALUE, a list of them, or an object');
    return Object.fromEntries(Array.isArray(given) ? given.map(pair) : Object.entries(given).map(variable));
  },
);

type Variables = Readonly<Record<string, string | number | boolean>> | readonly string[];

function pair(raw: unknown): [string, string] {
  const at = typeof raw === 'string' ? raw.indexOf('=') : -1;
  if (typeof raw !== 'string' || at === -1) {
    // In Puma and others, -e names the environment.
    const isMode = typeof raw === 'string' && /^(production|development|staging|test)$/.test(raw);
    throw new Expected('NAME=VALUE', raw, isMode ? `write NODE_ENV=${raw}` : undefined);
  }
  return variable([raw.slice(0, at), raw.slice(at + 1)]);
}

function variable([name, value]: [string, unknown]): [string, string] {
  if (name === '' || /[=\0]/.test(name)) throw new Expected('a variable with a name', name);
  if (!['string', 'number', 'boolean'].includes(typeof value))
    throw new Expected(`a text as the value of ${name}`, value);
  const text = String(value);
  if (text.includes('\0')) throw new Expected(`a value of ${name} without zero bytes`, text);
  return [name, text];
}

/** A name in digits alone is a port in Puma, where `-p` means that. */
export const fileOfProcess = parser<string>({ type: 'string', pattern: '[^0-9]' }, (raw) => {
  const name = nonEmptyText(raw);
  if (!/^\d+$/.test(name)) return name;
  throw new Expected('a file', raw, `write --bind 127.0.0.1:${name} for a port, or ./${name} for a file of that name`);
});

/** A unix socket by its path, or `none` for no socket. */
export const socketFile = parser<string | false, string>(
  { type: 'string', minLength: 1 },
  (raw) => {
    if (raw === 'none') return false;
    if (typeof raw !== 'string' || raw === '' || raw.includes('\0')) throw new Expected('a path, or "none"');
    return raw.replace(/^unix:/, '');
  },
  (value) => (value === false ? 'none' : value),
);

export const nonEmptyText = parser<string>({ type: 'string', minLength: 1 }, (raw) => {
  if (typeof raw !== 'string' || raw === '' || raw.includes('\0')) throw new Expected('a non-empty text');
  return raw;
});

/** One text or a list of them; in the environment they are separated by commas. */
export const texts = parser<readonly string[], string | readonly string[]>(
  {
    anyOf: [
      { type: 'string', pattern: '\\S' },
      { type: 'array', items: { type: 'string', minLength: 1 } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected('a text or a list of texts');
    return list.map((each) => nonEmptyText(each));
  },
);
