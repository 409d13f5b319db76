/** The header of a program's answer (RFC 3875 §6.2, §6.3). */

import type { Header } from 'tsgun';

/** A header that is longer is none. */
const longestHeaderBytes = 32 * 1024;

export interface Answer {
  readonly status: string;
  readonly headers: readonly Header[];
  /** Another path to answer in place of this one, with its query. */
  readonly localRedirect?: string;
}

/** What a program did wrong. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** Of the connection, which is the server's (RFC 9110 §7.6.1). */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/**
 * Reads up to the empty line.
 * @returns the header's lines, and what of the body has come with them
 * @throws BadAnswer when it is too long or the output ends within it
 */
export async function readHeader(output: AsyncIterator<Buffer>): Promise<{ lines: string[]; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const text = bytes.toString('latin1');
    const end = /\r?\n\r?\n/.exec(text);
    if (end !== null && end.index <= longestHeaderBytes)
      return { lines: text.slice(0, end.index).split(/\r?\n/), rest: bytes.subarray(end.index + end[0].length) };
    if (bytes.length > longestHeaderBytes) throw new BadAnswer(`its header is longer than ${longestHeaderBytes} bytes`);
    const { done, value } = await output.next();
    if (done) throw new BadAnswer('its output ended before the empty line that ends the header');
    bytes = Buffer.concat([bytes, value]);
  }
}

/** @throws BadAnswer */
export function parseHeader(lines: readonly string[]): Answer {
  let status: string | undefined;
  let location: string | undefined;
  const headers: Header[] = [];
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new BadAnswer(`no header field: ${JSON.stringify(line.slice(0, 80))}`);
    const key = name.toLowerCase();
    if (key === 'status') status = value;
    else if (key === 'location') location = value;
    else if (!hopByHop.includes(key)) headers.push([name, value]);
  }
  if (status !== undefined && !/^[2-5]\d\d( |$)/.test(status))
    throw new BadAnswer(`no status: ${JSON.stringify(status)}`);
  if (location !== undefined) return redirect(location, status, headers);
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const hasContent = !/^(204|304)/.test(status ?? '');
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
