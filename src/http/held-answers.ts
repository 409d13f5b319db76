/**
 * What is held for clients that take their answers more slowly than the app gives them: a running total of all connections
 * that share one allowance. Each enters its own share when that changes; asking costs the same however many there are.
 */

export class HeldAnswers {
  bytes = 0;
  private readonly limitBytes: number;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get mayHoldMore(): boolean {
    return this.bytes < this.limitBytes;
  }

  open(): HeldShare {
    return new HeldShare(this);
  }
}

/** The share of one connection, or of one stream. */
export class HeldShare {
  private readonly all: HeldAnswers;
  private bytes = 0;
  private isClosed = false;

  constructor(all: HeldAnswers) {
    this.all = all;
  }

  get mayHoldMore(): boolean {
    return this.all.mayHoldMore;
  }

  set(bytes: number): void {
    if (this.isClosed) return;
    this.all.bytes += bytes - this.bytes;
    this.bytes = bytes;
  }

  /** Its memory is free again. Writes that fail later change nothing. */
  close(): void {
    this.set(0);
    this.isClosed = true;
  }
}
