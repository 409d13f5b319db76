/** The time of a line, in both forms. Many lines share a second, or a millisecond: the last text is kept. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let second = -1;
let secondText = '';

/** Local time, as in the logs of Apache: `[26/Nov/2026:14:03:07 +0100]`. */
export function commonTime(now = Date.now()): string {
  const current = Math.floor(now / 1000);
  if (current === second) return secondText;
  second = current;
  const date = new Date(now);
  const two = (number: number) => String(number).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  secondText = `[${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}]`;
  return secondText;
}

let millisecond = -1;
let millisecondText = '';

/** As in the error log: `2026-11-26T13:03:07.123Z`. */
export function isoTime(now = Date.now()): string {
  if (now === millisecond) return millisecondText;
  millisecond = now;
  millisecondText = new Date(now).toISOString();
  return millisecondText;
}
