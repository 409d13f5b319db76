/** The header of a program's answer (RFC 3875 §6.2, §6.3). */

import type { Header } from 'tsgun';

/** A longer header is an error. */
const longestHeaderBytes = 32 * 1024;

export interface Answer {
  readonly status: string;
  readonly headers: readonly Header[];
  /** Another path to answer in place of this one, with its query. */
  readonly localRedirect?: string;
}

/** An error of the program. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** Fields about the connection, which belong to the server (RFC 9110 §7.6.1). */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** A field of these that comes twice has no meaning (RFC 3875 §6.3, RFC 9110 §8.6). */
const onlyOnce = ['content-type', 'location', 'status', 'content-length'];

/**
 * Reads up to the empty line.
 * @returns the header's lines, and what of the body has come with them
 * @throws BadAnswer when it is too long or the output ends within it
 */
export async function readHeader(output: AsyncIterator<Buffer>): Promise<{ lines: string[]; rest: Buffer }> {
  const pieces: Buffer[] = [];
  let byteCount = 0;
  // What has come, but for what the end of a header cannot begin in: it is searched once.
  let last = '';
  for (;;) {
    const { done, value } = await output.next();
    if (done) throw new BadAnswer('its output ended before the empty line that ends the header');
    pieces.push(value);
    byteCount += value.length;
    const searched = last + value.toString('latin1');
    const end = /\n\r?\n/.exec(searched);
    if (end !== null) {
      const bytes = Buffer.concat(pieces, byteCount);
      const bodyStart = byteCount - searched.length + end.index + end[0].length;
      const header = bytes.toString('latin1', 0, bodyStart - end[0].length).replace(/\r$/, '');
      if (header.length <= longestHeaderBytes) return { lines: header.split(/\r?\n/), rest: bytes.subarray(bodyStart) };
    }
    if (end !== null || byteCount > longestHeaderBytes)
      throw new BadAnswer(`its header is longer than ${longestHeaderBytes} bytes`);
    last = searched.slice(-2);
  }
}

/** @throws BadAnswer */
export function parseHeader(lines: readonly string[]): Answer {
  let status: string | undefined;
  let location: string | undefined;
  const headers: Header[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      throw new BadAnswer(`no header field: ${JSON.stringify(line.slice(0, 80))}`);
    const value = line.slice(colon + 1).trim();
    const key = name.toLowerCase();
    if (seen.has(key) && onlyOnce.includes(key)) throw new BadAnswer(`it says ${name} twice`);
    seen.add(key);
    if (key === 'status') status = value;
    else if (key === 'location') location = value;
    else if (!hopByHop.includes(key)) headers.push([name, value]);
  }
  if (status !== undefined && !/^[2-5]\d\d( |$)/.test(status))
    throw new BadAnswer(`no status: ${JSON.stringify(status)}`);
  if (location !== undefined) return redirect(location, status, headers);
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const hasContent = !/^(?:204|205|304)/.test(status ?? '');
  if (!isTyped && hasContent) throw new BadAnswer('it says no Content-Type, Location or Status without content');
  return { status: complete(status ?? '200 OK'), headers };
}

/** RFC 3875 §6.2.2 to §6.2.4. */
function redirect(location: string, status: string | undefined, headers: readonly Header[]): Answer {
  if (status === undefined && /^\/(?!\/)/.test(location)) return { status: '', headers: [], localRedirect: location };
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const typed: readonly Header[] = isTyped ? headers : [...headers, ['Content-Type', 'text/plain']];
  return { status: complete(status ?? '302 Found'), headers: [['Location', location], ...typed] };
}

/** A status line has a space after its code, even if no reason follows. */
function complete(status: string): string {
  return status.length === 3 ? `${status} ` : status;
}
