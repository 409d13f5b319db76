/** The time of a line, in both forms, as bytes. Many lines share a second, or a millisecond: the last ones are kept. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** For this long the time of day is computed from `performance.now()`, which is read for each request anyway. */
const followMs = 100;
let readAt = Number.NEGATIVE_INFINITY;
let readTime = 0;

/** The time of day, in milliseconds. @param now as `performance.now()` says it */
export function timeOfDay(now: number): number {
  const sinceMs = now - readAt;
  if (sinceMs >= 0 && sinceMs < followMs) return Math.floor(readTime + sinceMs);
  readAt = now;
  readTime = Date.now();
  return readTime;
}

let second = -1;
let secondBytes = new Uint8Array();

/** Local time, as in the logs of Apache: `[26/Nov/2026:14:03:07 +0100]`. */
export function commonTime(time: number): Uint8Array {
  const current = Math.floor(time / 1000);
  if (current === second) return secondBytes;
  second = current;
  const date = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  secondBytes = Buffer.from(
    `[${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}]`,
  );
  return secondBytes;
}

let millisecond = -1;
let millisecondBytes = new Uint8Array();

/** As in the error log: `2026-11-26T13:03:07.123Z`. */
export function isoTime(time: number): Uint8Array {
  if (time === millisecond) return millisecondBytes;
  millisecond = time;
  millisecondBytes = Buffer.from(new Date(time).toISOString());
  return millisecondBytes;
}
