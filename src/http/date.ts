/** The Date field (RFC 9110 §6.6.1), made once a second: reading the clock for each answer would show in a profile. */

// Not the globals, which an app may replace.
import { setTimeout } from 'node:timers';

let line = '';

/** `Date: …` with its CRLF. Exact to the second; while the event loop is blocked, it is the time of its last turn. */
export function dateLine(): string {
  if (line === '') {
    const now = new Date();
    line = `Date: ${now.toUTCString()}\r\n`;
    setTimeout(tsgunForget, 1000 - now.getMilliseconds()).unref();
  }
  return line;
}

/** The watchdog takes a stack that begins with `tsgun` for an idle process: see `worker/watchdog/examiner.ts`. */
function tsgunForget(): void {
  line = '';
}
