/** Parsers for the settings of the access log, and for paths. */

import { FormatError, readFormat } from './access-atoms.ts';
import { jsonFieldNames, readJsonField } from './access-fields.ts';
import { Expected, type Parser, parser } from './parser.ts';

/** `combined`, `json`, or a text with gunicorn's atoms. */
export const accessFormat = parser<string>(
  { anyOf: [{ enum: ['combined', 'json'] }, { type: 'string', pattern: '%\\(' }] },
  (raw) => {
    if (typeof raw !== 'string') throw new Expected('"combined", "json" or a format with atoms such as %(h)s');
    if (raw === 'combined' || raw === 'json') return raw;
    try {
      readFormat(raw);
      return raw;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new Expected(error.message, error.got, error.remedy);
    }
  },
);

const jsonFieldForm = `(?:[^={},]+=)?(?:${jsonFieldNames.join('|')}|\\{[^={},]+\\}[ioe])`;

/** The fields of a JSON line, as a list or separated by commas. */
export const jsonFields: Parser<readonly string[], string | readonly string[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: `^${jsonFieldForm}(?:, *${jsonFieldForm})*$` },
      { type: 'array', items: { type: 'string', pattern: `^${jsonFieldForm}$` } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected('fields separated by commas, or a list of fields');
    return list.map((field: unknown) => {
      if (typeof field !== 'string') throw new Expected('a field such as status', field);
      try {
        readJsonField(field);
        return field;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        throw new Expected(error.message, error.got, error.remedy);
      }
    });
  },
);

const pathForm = '^/';

/** One path of an app. */
export const path = parser<string>({ type: 'string', pattern: '^/[^\\s?#]*$' }, (raw) => {
  if (typeof raw === 'string' && /^\/[^\s?#]*$/.test(raw)) return raw;
  const remedy = typeof raw === 'string' && /^[^\s?#/]+$/.test(raw) ? `write /${raw}` : undefined;
  throw new Expected('a path that begins with "/", without a query', undefined, remedy);
});

/** Paths of an app, one or a list; in the environment they are separated by commas. */
export const paths: Parser<readonly string[], string | readonly string[]> = parser(
  {
    anyOf: [
      { type: 'string', pattern: pathForm },
      { type: 'array', items: { type: 'string', pattern: pathForm } },
    ],
  },
  (raw) => {
    const list = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(list)) throw new Expected('a path or a list of paths');
    return list.map((path: unknown) => {
      if (typeof path === 'string' && path.startsWith('/')) return path;
      const remedy = typeof path === 'string' && path !== '' ? `write /${path}` : undefined;
      throw new Expected('a path that begins with "/"', path, remedy);
    });
  },
);

const tokenForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The name of a header field (RFC 9110 §5.1). */
export const fieldName = parser<string>({ type: 'string', pattern: tokenForm.source }, (raw) => {
  if (typeof raw !== 'string' || !tokenForm.test(raw)) throw new Expected('the name of a header field');
  return raw.toLowerCase();
});
