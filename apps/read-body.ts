/** A request's body as a whole, for apps that expect a small one. */

import type { Environ } from 'tsgun';

/** @returns undefined for a body of more than `limitBytes`; the rest of it is never read */
export async function readBody(env: Environ, limitBytes: number): Promise<Buffer | undefined> {
  if (Number(env.CONTENT_LENGTH ?? 0) > limitBytes) return undefined;
  const pieces: Uint8Array[] = [];
  let byteCount = 0;
  for await (const piece of env['wsgi.input'] as AsyncIterable<Uint8Array>) {
    byteCount += piece.byteLength;
    if (byteCount > limitBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces, byteCount);
}
