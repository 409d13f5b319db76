/** Dates in fields (RFC 9110 §5.6.7): three forms, and no other that `Date.parse` would take, such as `2030` or `1 May`. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const month = `(?<month>${months.join('|')})`;
const time = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';

const forms = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT`,
  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
  `(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT`,
  // asctime: Sun Nov  6 08:49:37 1994
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} (?<day>\\d\\d| \\d) ${time} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** @returns milliseconds, or undefined for anything but an HTTP-date: a condition with it is ignored */
export function parseHttpDate(text: string | undefined, now: Date = new Date()): number | undefined {
  for (const form of forms) {
    const parts = form.exec(text ?? '')?.groups;
    if (parts === undefined) continue;
    const day = Number(parts.day);
    const [hour, minute, second] = [parts.hour, parts.minute, parts.second].map(Number) as [number, number, number];
    const date = new Date(0);
    date.setUTCFullYear(fullYear(parts.year!, now), months.indexOf(parts.month!), day);
    // 60 is a leap second. The thirtieth of February is not the second of March.
    const isOnClock = hour < 24 && minute < 60 && second <= 60;
    return isOnClock && day > 0 && date.getUTCDate() === day ? date.setUTCHours(hour, minute, second) : undefined;
  }
  return undefined;
}

/** Two digits that would be more than 50 years from now are of the century before. */
function fullYear(digits: string, now: Date): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = now.getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
