/** One line of the error log as JSON. A text that is too long is cut, and its end says so. */

/** Limit of one text: an error's message, a stack, what an app writes. */
const longestText = 16_384;
/** Limit of a whole line, which may have many texts. */
const longestLine = 262_144;

/** Ends with a line feed. Never throws, whatever is in the fields. */
export function formatLine(level: string, fields: Readonly<Record<string, unknown>>, message: string): string {
  const time = new Date().toISOString();
  try {
    const line = JSON.stringify({ level, time, ...fields, msg: message }, shorten);
    if (line.length <= longestLine) return `${line}\n`;
    return format({ ...essence(level, time, fields, message), cutBytes: Buffer.byteLength(line) });
  } catch (error) {
    return format({ ...essence(level, time, fields, message), unreadable: String(error) });
  }
}

function format(line: object): string {
  return `${JSON.stringify(line, shorten)}\n`;
}

function essence(level: string, time: string, { event, pid }: Readonly<Record<string, unknown>>, message: string) {
  return { level, time, event, pid, msg: message };
}

function shorten(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.length > longestText ? cut(value) : value;
  return typeof value === 'bigint' ? String(value) : value;
}

function cut(text: string): string {
  // Never cut between the halves of a surrogate pair.
  const isHigh = (text.charCodeAt(longestText - 1) & 0xfc00) === 0xd800;
  const kept = text.slice(0, isHigh ? longestText - 1 : longestText);
  return `${kept}... (${Buffer.byteLength(text) - Buffer.byteLength(kept)} bytes cut)`;
}
