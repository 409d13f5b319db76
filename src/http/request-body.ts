/** A request's body between the connection and its reader. What comes before there is a reader waits here, within bounds. */

import { ClientGone } from './errors.ts';
import { maxQueuedBytes } from './limits.ts';
import { Pieces } from './pieces.ts';

/** The reader of a request's body. */
export interface BodySink {
  /** @returns whether it wants more; after false, nothing comes until `resumeBody` */
  onData(bytes: Buffer): boolean;
  onEnd(): void;
  /** The answer is complete, and the rest does not come. */
  onLost?(reason: Error): void;
}

/** What it needs of its connection. */
interface Source {
  pauseBody(): void;
  resumeBody(): void;
}

export class RequestBody {
  /** Whether all of it has come. */
  isWhole: boolean;
  private readonly source: Source;
  private sink: BodySink | undefined = undefined;
  private queue: Pieces | undefined = undefined;
  private lostReason: Error | undefined = undefined;

  constructor(source: Source, isWhole: boolean) {
    this.source = source;
    this.isWhole = isWhole;
  }

  /** Whether it has no reader, and nothing of it has come. */
  get isUntouched(): boolean {
    return this.sink === undefined && !this.isWhole && this.unreadBytes === 0;
  }

  /** Whether the rest will not be delivered. */
  get isLost(): boolean {
    return this.lostReason !== undefined;
  }

  get unreadBytes(): number {
    return this.queue?.byteCount ?? 0;
  }

  /** What has come until now is delivered at once. */
  read(sink: BodySink): void {
    this.sink = sink;
    const queue = this.queue?.take() ?? [];
    this.queue = undefined;
    let wantsMore = true;
    for (const bytes of queue) wantsMore = sink.onData(bytes);
    if (this.isWhole) sink.onEnd();
    else if (this.lostReason !== undefined) sink.onLost?.(this.lostReason);
    else if (wantsMore) this.source.resumeBody();
  }

  giveBack(pieces: Pieces): void {
    this.sink = undefined;
    this.queue = pieces;
  }

  take(bytes: Buffer): void {
    if (this.sink !== undefined) {
      if (!this.sink.onData(bytes)) this.source.pauseBody();
      return;
    }
    this.queue ??= new Pieces();
    this.queue.add(bytes);
    if (this.queue.byteCount >= maxQueuedBytes) this.source.pauseBody();
  }

  end(): void {
    this.isWhole = true;
    this.sink?.onEnd();
  }

  lose(): void {
    this.lostReason = new ClientGone('the connection ended with the answer, ahead of the body');
    this.sink?.onLost?.(this.lostReason);
  }
}
