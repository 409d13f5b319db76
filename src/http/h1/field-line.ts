/** One field line (RFC 9112 §5): its name, found quickly, and its value without the white space around it. */

import { HttpError } from '../errors.ts';
import { type FieldName, lookUpField } from '../fields.ts';
import { fieldValueForm, trimOws } from './grammar.ts';

const colon = 0x3a;

/**
 * The name of the field line from `start` to `end`. No space before the colon, no folded line (RFC 9112 §5.1, §5.2):
 * neither is a token.
 */
export function fieldNameAt(text: string, start: number, end: number, before: FieldName | undefined): FieldName {
  const guess = before?.follower;
  if (guess !== undefined && text.charCodeAt(start + guess.raw.length) === colon && text.startsWith(guess.raw, start))
    return guess;
  const stop = text.indexOf(':', start);
  const field = stop === -1 || stop >= end ? undefined : lookUpField(text.slice(start, stop));
  if (field === undefined) throw new HttpError(400, 'malformed header field name');
  // Only cached names are linked, as their number is bounded. Clients can send any number of others, which would stay in memory.
  if (before?.isCached && field.isCached) before.follower = field;
  return field;
}

/** The value between `start` and `end`, without the white space around it (RFC 9112 §5). */
export function fieldValueAt(text: string, start: number, end: number): string {
  const value = trimOws(text, start, end);
  if (!fieldValueForm.test(value)) throw new HttpError(400, 'malformed header field value');
  return value;
}
