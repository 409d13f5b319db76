/** The Date field (RFC 9110 §6.6.1), made once a second: toUTCString for every response would show in a profile. */

let line = '';
let staleAt = 0;

/** `Date: …` with its CRLF, right to the second. */
export function dateLine(): string {
  const now = Date.now();
  if (now >= staleAt || now < staleAt - 1000) {
    staleAt = now - (now % 1000) + 1000;
    line = `Date: ${new Date(now).toUTCString()}\r\n`;
  }
  return line;
}
