/** One request with a large body, or a large answer, over a raw socket that can be paused: no client library in between. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { pieces } from './pattern.js';

const headEnd = '\r\n\r\n';

export class BulkClient {
  /** @returns {Promise<BulkClient>} */
  static async open(port) {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new BulkClient(socket);
  }

  constructor(socket) {
    this.socket = socket;
  }

  /** Bytes that the kernel has taken. */
  get sentBytes() {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  /** Sends a head and then the pattern, as fast as it is taken. @returns {Promise<string>} the answer's body */
  async upload(head, bytes, isChunked) {
    const { socket } = this;
    const answered = this.answer();
    // If the server goes away, that is what the answer says.
    answered.catch(() => {});
    socket.write(head);
    for (const piece of pieces(bytes)) {
      if (isChunked) socket.write(`${piece.length.toString(16)}\r\n`);
      const isTaking = socket.write(piece);
      if (isChunked) socket.write('\r\n');
      if (!isTaking || socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), answered]);
    }
    if (isChunked) socket.write('0\r\n\r\n');
    const { body } = await answered;
    return body.toString('latin1');
  }

  /** @returns {Promise<string>} SHA-256 of the answer's body, which is not kept */
  async download(head) {
    const hash = createHash('sha256');
    this.socket.write(head);
    await this.answer((bytes) => hash.update(bytes));
    return hash.digest('hex');
  }

  /**
   * Reads one answer, by Content-Length, chunks or the end. Throws if it is not a 200, or not complete.
   * @param {(bytes: Buffer) => void} [take] gets the body; without it, it is kept
   */
  async answer(take) {
    const kept = [];
    const body = new BodyReader(take ?? ((bytes) => kept.push(bytes)));
    let head = '';
    let isInBody = false;
    for await (const bytes of this.socket) {
      if (isInBody) body.feed(bytes);
      else {
        head += bytes.toString('latin1');
        const end = head.indexOf(headEnd);
        if (end === -1) continue;
        isInBody = true;
        const rest = Buffer.from(head.slice(end + headEnd.length), 'latin1');
        head = head.slice(0, end);
        if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`not served: ${head}`);
        body.begin(head);
        body.feed(rest);
      }
      if (body.isComplete) break;
    }
    if (!body.isComplete && body.framing !== 'close') throw new Error(`the answer is not complete: ${head}`);
    return { body: Buffer.concat(kept) };
  }
}

/** Takes the framing off a body. */
class BodyReader {
  framing = 'close';
  isComplete = false;
  remaining = 0;
  line = '';
  isInLine = true;
  isLast = false;

  constructor(take) {
    this.take = take;
  }

  begin(head) {
    const [, length] = /^content-length: (\d+)$/im.exec(head) ?? [];
    if (length !== undefined) this.framing = 'length';
    else if (/^transfer-encoding: chunked$/im.test(head)) this.framing = 'chunked';
    this.remaining = Number(length ?? 0);
    this.isComplete = this.framing === 'length' && this.remaining === 0;
  }

  feed(bytes) {
    if (this.framing === 'close') return this.take(bytes);
    let position = 0;
    while (position < bytes.length && !this.isComplete) {
      if (this.framing === 'chunked' && this.isInLine) position = this.feedLine(bytes, position);
      else {
        const stop = Math.min(bytes.length, position + this.remaining);
        this.take(bytes.subarray(position, stop));
        this.remaining -= stop - position;
        position = stop;
        if (this.remaining > 0) continue;
        if (this.framing === 'length') this.isComplete = true;
        this.isInLine = true;
      }
    }
  }

  /** A size line, or the empty one after a chunk. */
  feedLine(bytes, position) {
    const lineFeed = bytes.indexOf(0x0a, position);
    const stop = lineFeed === -1 ? bytes.length : lineFeed + 1;
    this.line += bytes.toString('latin1', position, stop);
    if (lineFeed === -1) return stop;
    const text = this.line.trim();
    this.line = '';
    if (text === '') this.isComplete = this.isLast;
    else {
      this.remaining = Number.parseInt(text, 16);
      this.isLast = this.remaining === 0;
      this.isInLine = this.isLast;
    }
    return stop;
  }
}
