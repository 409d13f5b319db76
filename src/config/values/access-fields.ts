/** The fields of a JSON line of the access log: those that there are, and those that `--access-log-fields` asks for. */

import { nearest } from '../names/suggest.ts';
import { FormatError } from './access-atoms.ts';

/** In the order of a line. */
export const jsonFieldNames = [
  'time',
  'remoteAddr',
  'method',
  'path',
  'query',
  'protocol',
  'status',
  'bytes',
  'receivedBytes',
  'durationMs',
  'queueMs',
  'cpuMs',
  'referer',
  'userAgent',
  'requestId',
  'traceparent',
  'outcome',
  'worker',
  'class',
  'pid',
] as const;
export type JsonFieldName = (typeof jsonFieldNames)[number];

/** Of a line: its key, and what it is. */
export type JsonField = { readonly key: string } & (
  | { readonly value: JsonFieldName }
  /** A field of the request (`i`) or the answer (`o`), or a variable (`e`), as in `%({name}i)s`; in small letters. */
  | { readonly source: 'i' | 'o' | 'e'; readonly name: string }
);

const form = /^(?:([^={},]+)=)?(?:([A-Za-z]+)|\{([^={},]+)\}([ioe]))$/;
const example = 'a field such as status, {x-tenant}i, or key=status';

/** @throws FormatError */
export function readJsonField(text: string): JsonField {
  const [, key, value, name, source] = form.exec(text) ?? [];
  if (value !== undefined) {
    if ((jsonFieldNames as readonly string[]).includes(value))
      return { key: key ?? value, value: value as JsonFieldName };
    const meant = nearest(value, jsonFieldNames);
    throw new FormatError(
      `one of the fields ${jsonFieldNames.join(' ')}, or {name}i, {name}o, {name}e`,
      text,
      meant === undefined ? `write {${value}}i for a request's field` : `write ${meant}`,
    );
  }
  if (name === undefined) throw new FormatError(example, text);
  return { key: key ?? name.toLowerCase(), source: source as 'i' | 'o' | 'e', name: name.toLowerCase() };
}

/** Whether lines say what a request cost in CPU time, which is then measured. */
export function saysCpu(format: string, fields: readonly string[]): boolean {
  if (format !== 'json') return /\{tsgun\.cpums\}e/i.test(format);
  if (fields.length === 0) return true;
  return fields
    .map(readJsonField)
    .some((field) => ('value' in field ? field.value === 'cpuMs' : field.name === cpuKey));
}

/** Whether lines say fields of the answer. */
export function saysAnswerField(format: string, fields: readonly string[]): boolean {
  if (format !== 'json') return /\}o\)/.test(format);
  return fields.map(readJsonField).some((field) => 'source' in field && field.source === 'o');
}

const cpuKey = 'tsgun.cpums';
