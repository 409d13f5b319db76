/** Lines of a raw connection, each as text without its end (`\n` or `\r\n`). */

const newline = 10;

/**
 * A last line needs no end. At most `limitBytes` are kept of a line, however long it is.
 * @returns undefined in place of a line that is longer
 */
export async function* lines(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<string | undefined> {
  let kept = Buffer.alloc(0);
  let isTooLong = false;
  for await (const chunk of source) {
    let from = 0;
    while (from < chunk.length) {
      const found = chunk.indexOf(newline, from);
      const end = found === -1 ? chunk.length : found;
      isTooLong ||= kept.length + end - from > limitBytes;
      if (!isTooLong) kept = Buffer.concat([kept, chunk.subarray(from, end)]);
      if (found !== -1) {
        yield isTooLong ? undefined : text(kept);
        kept = Buffer.alloc(0);
        isTooLong = false;
      }
      from = end + 1;
    }
  }
  if (isTooLong) yield undefined;
  else if (kept.length > 0) yield text(kept);
}

function text(line: Buffer): string {
  return line.toString('latin1').replace(/\r$/, '');
}
