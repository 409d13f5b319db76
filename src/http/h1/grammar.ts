/** The character rules of RFC 9110 and RFC 9112, over latin1 strings: one character is one byte. */

/** token (RFC 9110 §5.6.2): methods, field names, transfer codings. */
export const tokenForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** field-value (RFC 9110 §5.5), already trimmed: visible characters, space, tab, obs-text. No CR, LF, NUL or control. */
export const fieldValueForm = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The characters of a request target (RFC 9112 §3.2). RFC 3986 allows fewer, but browsers send `|`, `{`, `^` and the
 * like as they are. What nobody sends unencoded is refused: controls, space, `"`, `<`, `>`, `#`, and anything not ASCII.
 */
export const targetForm = /^[!$-;=?-~]+$/;

/** Host (RFC 9110 §7.2): uri-host [":" port], or empty. A port without a host names nothing (RFC 9110 §4.2.1). */
export const hostForm =
  /^(?:(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?)?$/;

/** absolute-form (RFC 9112 §3.2.2) of the schemes that we serve: authority in group 1, the rest in 2. */
export const absoluteForm = /^https?:\/\/([^/?]+)([/?].*)?$/i;

/** authority-form (RFC 9112 §3.2.3): host and port, both needed. */
export const authorityForm = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+):[0-9]{1,5}$/;

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const extension = `[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*(?:${token}|${quoted}))?`;

/**
 * chunk-size and chunk-ext (RFC 9112 §7.1): the digits in group 1, the extensions in 2. Thirteen digits hold 2^52 - 1;
 * leading zeros count as digits.
 */
export const chunkLineForm = new RegExp(`^([0-9A-Fa-f]{1,13})((?:${extension})*)$`);

/** Status of an answer as apps give it: code, space, reason (RFC 9112 §4). A reason may be empty, the space may not. */
export const statusForm = /^[2-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*$/;

/** Of an interim answer (RFC 9110 §15.2); 101 is the end of HTTP, and the connection's to say. */
export const interimForm = /^1(?!01)[0-9]{2} [\t\x20-\x7e\x80-\xff]*$/;

const space = 0x20;
const tab = 0x09;
const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
const methodBytes = Uint8Array.from({ length: 256 }, (_, code) => (tokenForm.test(String.fromCharCode(code)) ? 1 : 0));

/**
 * Whether a request may begin with this byte: a method's, or the CRLF that some clients send before (RFC 9112 §2.2). What
 * comes with a client of another protocol, such as a TLS handshake, is known by it without waiting for a line's end.
 */
export function canBegin(code: number): boolean {
  return code === carriageReturn || code === lineFeed || methodBytes[code] === 1;
}

/** The text from `from` to `to` without OWS (RFC 9110 §5.6.3) at its ends; String.trim would take more than that. */
export function trimOws(text: string, from = 0, to = text.length): string {
  let start = from;
  let end = to;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === space || code === tab;
}

/** The members of a comma-separated list (RFC 9110 §5.6.1), in lower case, empty ones dropped. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map((member) => trimOws(member).toLowerCase())
    .filter((member) => member !== '');
}
