/** `wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling"). */

import { Readable } from 'node:stream';
import type { FileLike } from '../types.ts';

export class FileWrapper implements AsyncIterable<Uint8Array> {
  private readonly stream: Readable;

  /** @param blockSize bytes per piece, a hint */
  constructor(file: FileLike, blockSize = 64 * 1024) {
    this.stream = file instanceof Readable ? file : file.createReadStream({ highWaterMark: blockSize });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.stream[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    this.stream.destroy();
  }
}
