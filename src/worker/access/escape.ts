/**
 * Writes texts of clients and apps as printable ASCII. One character is one byte, as in all texts of requests; only a variable
 * or a format can hold larger characters.
 */

const unsafeInText = /["\\]|[^\x20-\x7e]/;
const eachUnsafe = /["\\]|[^\x20-\x7e]/g;

/** As nginx does it: quotes, backslashes and all that is not printable ASCII become `\xHH`. */
export function escapeText(text: string): string {
  return unsafeInText.test(text) ? text.replace(eachUnsafe, asBytes) : text;
}

/** For text that the operator wrote: quotes stay. */
export function escapeLiteral(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, asBytes);
}

function asBytes(character: string): string {
  const isByte = character.length === 1 && character.charCodeAt(0) < 0x100;
  const bytes = Buffer.from(character, isByte ? 'latin1' : 'utf8');
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** For between the quotes of a JSON text. */
export function escapeJson(text: string): string {
  return unsafeInText.test(text) ? text.replace(eachUnsafe, asUnit) : text;
}

export function quoteJson(text: string): string {
  return `"${escapeJson(text)}"`;
}

function asUnit(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
