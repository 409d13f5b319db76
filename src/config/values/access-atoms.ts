/** The access log's format, read: what is text, and what is an atom. gunicorn's names. It knows no request. */

import { nearest } from '../names/suggest.ts';

export const combinedFormat = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"';

export const atomNames = [...'hlutrmUqHsBbfaTMDLp'] as const;

/** Whose fields or variables an atom such as `%({name}i)s` names. */
export type Source = 'i' | 'o' | 'e';

export type FormatPart =
  | { readonly text: string }
  | { readonly atom: string }
  | { readonly source: Source; readonly name: string };

/** Says what is wrong with a format, and what to write instead. */
export class FormatError extends Error {
  readonly got: string;
  readonly remedy: string | undefined;

  constructor(message: string, got: string, remedy?: string) {
    super(message);
    this.got = got;
    this.remedy = remedy;
  }
}

/** What follows a percent sign: another one, or an atom as Python writes it. */
const atomForm = /%(?:(%)|\(([^()]*)\)([A-Za-z]?)|)/g;
const namedForm = /^\{([^{}]+)\}(.)$/;
const printable = /^[^\p{Cc}]*$/u;

/** @throws FormatError */
export function readFormat(format: string): FormatPart[] {
  if (!printable.test(format))
    throw new FormatError('a format on one line, without control characters', format, 'write spaces between the atoms');
  const parts: FormatPart[] = [];
  let end = 0;
  for (const match of format.matchAll(atomForm)) {
    if (match.index > end) parts.push({ text: format.slice(end, match.index) });
    end = match.index + match[0].length;
    parts.push(match[1] === '%' ? { text: '%' } : readAtom(match[2], match[3], format.slice(match.index)));
  }
  if (end < format.length) parts.push({ text: format.slice(end) });
  if (parts.every((part) => 'text' in part)) {
    const meant = nearest(format, ['combined', 'json']);
    throw new FormatError(
      '"combined", "json" or a format with atoms such as %(h)s',
      format,
      meant === undefined ? undefined : `write ${meant}`,
    );
  }
  return parts;
}

function readAtom(name: string | undefined, conversion: string | undefined, from: string): FormatPart {
  const got = from.slice(0, 24);
  if (name === undefined) {
    // Apache's form, and nginx' is not far.
    const letter = from[1] ?? '';
    const isAtom = (atomNames as readonly string[]).includes(letter);
    throw new FormatError('an atom such as %(h)s', got, isAtom ? `write %(${letter})s` : 'write %% for a percent sign');
  }
  if (conversion !== 's') throw new FormatError('an "s" behind each atom', got, `write %(${name})s`);
  if ((atomNames as readonly string[]).includes(name)) return { atom: name };
  const [, key, source] = namedForm.exec(name) ?? [];
  if (key !== undefined && (source === 'i' || source === 'o' || source === 'e'))
    return { source, name: key.toLowerCase() };
  throw new FormatError(
    `one of the atoms ${atomNames.join(' ')} {name}i {name}o {name}e`,
    `%(${name})s`,
    remedyFor(name),
  );
}

/** Of the words that people write in an atom's place. */
const words: Readonly<Record<string, string>> = {
  host: 'h',
  address: 'h',
  remote_addr: 'h',
  user: 'u',
  time: 't',
  date: 't',
  request: 'r',
  method: 'm',
  path: 'U',
  url: 'U',
  query: 'q',
  protocol: 'H',
  status: 's',
  bytes: 'B',
  length: 'B',
  referer: 'f',
  referrer: 'f',
  agent: 'a',
  user_agent: 'a',
  duration: 'D',
  pid: 'p',
};

function remedyFor(name: string): string {
  const braced = /^\{?([^{}]*)\}?([ioe]?)$/.exec(name);
  if (name.includes('{') || name.includes('}')) return `write %({${braced?.[1] || 'name'}}${braced?.[2] || 'i'})s`;
  const word = nearest(name, Object.keys(words));
  const sameLetter = atomNames.find((atom) => atom.toLowerCase() === name.toLowerCase());
  const atom = sameLetter ?? (word === undefined ? undefined : words[word]);
  return atom === undefined ? `write %({${name}}i)s for a request's field` : `write %(${atom})s`;
}
