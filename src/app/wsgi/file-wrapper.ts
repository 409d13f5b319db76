/** `wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling"). */

import { Readable } from 'node:stream';
import type { FileBody, FileLike, FileWrapperClass, Piece } from '../types.ts';

class WrappedFile implements FileBody {
  private readonly file: FileLike;
  private readonly pieces: AsyncIterable<Piece>;

  constructor(file: FileLike, blockSize: number) {
    this.file = file;
    this.pieces = piecesOf(file, blockSize);
  }

  [Symbol.asyncIterator](): AsyncIterator<Piece> {
    return this.pieces[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    const { file, pieces } = this;
    if (pieces instanceof Readable) pieces.destroy();
    else if ('close' in file) await file.close?.();
  }
}

/** The PEP calls it; as a class it may be called with `new` too. */
function wrap(file: FileLike, blockSize = 64 * 1024): FileBody {
  return new WrappedFile(file, blockSize);
}

export const FileWrapper = wrap as unknown as FileWrapperClass;

/** @throws TypeError */
function piecesOf(file: FileLike, blockSize: number): AsyncIterable<Piece> {
  if (file instanceof Readable) return file;
  if (typeof file === 'object' && file !== null) {
    if ('createReadStream' in file) return file.createReadStream({ highWaterMark: blockSize });
    if (Symbol.asyncIterator in file) return file;
    if ('read' in file && typeof file.read === 'function') return readAll(file, blockSize);
  }
  throw new TypeError('wsgi.file_wrapper: expected a stream, a FileHandle, or an object with read(size)');
}

async function* readAll(file: Extract<FileLike, { read: unknown }>, blockSize: number): AsyncGenerator<Piece> {
  for (;;) {
    const piece = await file.read(blockSize);
    if (piece === null || piece === undefined || piece.length === 0) return;
    yield piece;
  }
}
