/** Bytes of which none can be lost, doubled or moved unnoticed: every piece begins with its number. */

import { createHash } from 'node:crypto';

export const pieceBytes = 64 * 1024;
const filling = Buffer.alloc(pieceBytes, 'What goes in must come out, in order, once. ');

/** @returns {Generator<Buffer>} pieces of `pieceBytes`, each a buffer of its own; `bytes` is a multiple of that */
export function* pieces(bytes) {
  for (let number = 0; number < bytes / pieceBytes; number++) {
    const piece = Buffer.from(filling);
    piece.writeUInt32BE(number);
    yield piece;
  }
}

/** SHA-256 of all pieces, in hexadecimal. */
export function patternHash(bytes) {
  const hash = createHash('sha256');
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest('hex');
}
