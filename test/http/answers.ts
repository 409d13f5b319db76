/** Reads a server's answers out of the bytes that came back: strict enough to notice what a client would stumble over. */

export interface Answer {
  readonly version: string;
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface Answers {
  readonly interim: Answer[];
  readonly final: Answer[];
  /** What is no complete answer. */
  readonly rest: Buffer;
}

/**
 * @param isHead whether the nth final answer is one to a HEAD request, which has no body (RFC 9112 §6.3)
 * @param hasEnded whether the server has ended the connection, which may be the end of a body too
 */
export function readAnswers(bytes: Buffer, isHead: (index: number) => boolean, hasEnded: boolean): Answers {
  const interim: Answer[] = [];
  const final: Answer[] = [];
  let rest = bytes;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) break;
    const head = readHead(rest.toString('latin1', 0, headEnd));
    if (head === undefined) break;
    const after = rest.subarray(headEnd + 4);
    const hasNoBody = head.status < 200 || head.status === 204 || head.status === 304 || isHead(final.length);
    const body = hasNoBody ? { bytes: Buffer.alloc(0), size: 0 } : readBody(head, after, hasEnded);
    if (body === undefined) break;
    (head.status < 200 ? interim : final).push({ ...head, body: body.bytes });
    rest = after.subarray(body.size);
  }
  return { interim, final, rest };
}

/** All values of a field, joined. */
export function fieldOf(answer: Answer, name: string): string | undefined {
  const values = answer.fields.filter(([each]) => each === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

function readHead(text: string): Omit<Answer, 'body'> | undefined {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^(HTTP\/\d\.\d) (\d{3}) [^\r\n]*$/.exec(statusLine) ?? [];
  if (version === undefined) return undefined;
  const fields: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    fields.push([name.toLowerCase(), value]);
  }
  return { version, status: Number(status), fields };
}

function readBody(
  head: Omit<Answer, 'body'>,
  after: Buffer,
  hasEnded: boolean,
): { bytes: Buffer; size: number } | undefined {
  const firstOf = (name: string) => head.fields.find(([each]) => each === name)?.[1];
  if (firstOf('transfer-encoding') === 'chunked') return readChunks(after);
  const length = firstOf('content-length');
  if (length === undefined) return hasEnded ? { bytes: after, size: after.length } : undefined;
  const size = Number(length);
  return after.length < size ? undefined : { bytes: after.subarray(0, size), size };
}

function readChunks(after: Buffer): { bytes: Buffer; size: number } | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = after.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(after.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (!(size >= 0) || after.length < start + size + 2) return undefined;
    if (after.toString('latin1', start + size, start + size + 2) !== '\r\n') return undefined;
    chunks.push(after.subarray(start, start + size));
    at = start + size + 2;
    if (size === 0) return { bytes: Buffer.concat(chunks), size: at };
  }
}
