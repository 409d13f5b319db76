/** The Date field (RFC 9110 §6.6.1), made once a second: to ask for the time for every answer would show in a profile. */

// Not the globals, which an app may replace.
import { setTimeout } from 'node:timers';

let line = '';

/** `Date: …` with its CRLF. Right to the second, unless the loop is blocked: then as of the last turn of it. */
export function dateLine(): string {
  if (line === '') {
    const now = new Date();
    line = `Date: ${now.toUTCString()}\r\n`;
    setTimeout(forget, 1000 - now.getMilliseconds()).unref();
  }
  return line;
}

function forget(): void {
  line = '';
}
