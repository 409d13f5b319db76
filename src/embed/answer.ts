/** The engine's answer to an injected request, from its bytes to a `Response` (RFC 9112 §6.3). */

/** What the engine has written is known to be sound: only what it writes is understood. */
export class AnswerReader {
  private text = '';
  private isHeadRead = false;
  private left = 0;
  private isChunked = false;
  private isOver = false;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  private readonly isHeadRequest: boolean;
  private readonly onResponse: (response: Response) => void;
  private readonly onFailure: (error: Error) => void;
  private readonly onDone: () => void;
  /** Called when the reader of the body wants more. */
  onPull: (() => void) | undefined = undefined;

  constructor(
    isHeadRequest: boolean,
    events: { onResponse(response: Response): void; onFailure(error: Error): void; onDone(): void },
  ) {
    this.isHeadRequest = isHeadRequest;
    this.onResponse = events.onResponse;
    this.onFailure = events.onFailure;
    this.onDone = events.onDone;
  }

  /** @returns whether it wants more now; else `onPull` is called when it does */
  take(bytes: Buffer): boolean {
    // Latin1: a character is a byte.
    this.text += bytes.toString('latin1');
    while (!this.isHeadRead && !this.isOver && this.text.includes('\r\n\r\n')) this.takeHead();
    if (this.isHeadRead) this.takeBody();
    return this.isOver || (this.controller?.desiredSize ?? 1) > 0;
  }

  /** The connection has ended. */
  end(): void {
    if (this.isOver) return;
    if (this.isHeadRead && this.left === Number.POSITIVE_INFINITY) return this.finish();
    this.fail(new Error(this.isHeadRead ? 'the answer was cut off' : 'the connection was cut before an answer'));
  }

  fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.controller === undefined) this.onFailure(error);
    else this.controller.error(error);
    this.onDone();
  }

  private takeHead(): void {
    const end = this.text.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = this.text.slice(0, end).split('\r\n');
    this.text = this.text.slice(end + 4);
    const status = Number(statusLine.slice(9, 12));
    if (status === 101) return this.fail(new Error('inject() speaks HTTP only: the app has changed the protocol'));
    // 100 Continue and 103 Early Hints come ahead of the answer.
    if (status < 200) return;
    this.isHeadRead = true;
    const headers = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    this.isChunked = headers.get('transfer-encoding') === 'chunked';
    const length = headers.get('content-length');
    const hasBody = !this.isHeadRequest && status !== 204 && status !== 304;
    this.left = this.isChunked ? 0 : length === null ? Number.POSITIVE_INFINITY : Number(length);
    // Of the connection, which nobody sees.
    for (const name of ['transfer-encoding', 'connection', 'keep-alive']) headers.delete(name);
    const init = { status, statusText: statusLine.slice(13), headers };
    try {
      this.onResponse(new Response(hasBody ? this.stream() : null, init));
    } catch (error) {
      return this.fail(error as Error);
    }
    if (!hasBody) this.finish();
  }

  private stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
      pull: () => this.onPull?.(),
      cancel: () => {
        this.isOver = true;
        this.onDone();
      },
    });
  }

  private takeBody(): void {
    while (!this.isOver) {
      if (this.isChunked && this.left === 0) {
        const end = this.text.indexOf('\r\n');
        if (end === -1) return;
        const size = Number.parseInt(this.text.slice(0, end), 16);
        if (size === 0) return this.text.includes('\r\n\r\n') ? this.finish() : undefined;
        // With the line end behind the chunk.
        this.left = size + 2;
        this.text = this.text.slice(end + 2);
      }
      if (!this.isChunked && this.left === 0) return this.finish();
      if (this.text === '') return;
      this.pass();
    }
  }

  private pass(): void {
    const piece = this.text.slice(0, this.left);
    this.text = this.text.slice(piece.length);
    this.left -= piece.length;
    const behind = this.isChunked ? Math.max(0, Math.min(piece.length, 2 - this.left)) : 0;
    const data = piece.slice(0, piece.length - behind);
    if (data !== '') this.controller?.enqueue(new Uint8Array(Buffer.from(data, 'latin1')));
  }

  private finish(): void {
    this.isOver = true;
    this.controller?.close();
    this.onDone();
  }
}
