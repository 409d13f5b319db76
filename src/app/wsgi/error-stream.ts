/** `wsgi.errors`: what an app writes there goes to the error log, line by line. All requests of a process share one. */

import { type Readable, Writable } from 'node:stream';

/** A longer line comes in pieces: an app may never end it. */
const longestLine = 65_536;

class Lines extends Writable {
  private partial = '';
  private readonly onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    super({ decodeStrings: false, autoDestroy: false, emitClose: false });
    this.onLine = onLine;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    // Only what is new is searched: a line may come in many pieces.
    const [first = '', ...others] = chunk.toString().split('\n');
    this.partial += first;
    for (const line of others) {
      this.onLine(this.partial);
      this.partial = line;
    }
    if (this.partial.length > longestLine) this.endLine();
    done();
  }

  override _final(done: () => void): void {
    this.endLine();
    done();
  }

  protected endLine(): void {
    if (this.partial !== '') this.onLine(this.partial);
    this.partial = '';
  }
}

/** Nobody can end it: other requests go on writing, and each write after the end would be an error that nobody catches. */
export class ErrorStream extends Lines {
  constructor(onLine: (line: string) => void) {
    super(onLine);
    // Each source has lines of its own, and ends those.
    this.on('pipe', (source: Readable) => {
      source.unpipe(this);
      source.pipe(new Lines(onLine));
    });
  }

  override end(...args: unknown[]): this {
    const [chunk, encoding] = args;
    if (typeof chunk === 'string' || chunk instanceof Uint8Array)
      this.write(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
    this.endLine();
    const done = args.find((arg) => typeof arg === 'function');
    if (done !== undefined) process.nextTick(done);
    // A pipeline waits for it.
    process.nextTick(() => this.emit('finish'));
    return this;
  }

  override destroy(): this {
    return this;
  }
}
