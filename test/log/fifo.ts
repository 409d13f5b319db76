/** Pipes whose reader is the test: it reads when it wants to, or is gone. */

import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from '../current.ts';

export class Fifo {
  readonly path: string;
  private reader: number | undefined;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'tsgun-fifo-'));
    onTestFinished(() => {
      this.close();
      rmSync(folder, { recursive: true, force: true });
    });
    this.path = join(folder, 'fifo');
    execFileSync('mkfifo', [this.path]);
    this.reader = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** For a process to write to; whoever opens it closes it. */
  openWriter(): number {
    return openSync(this.path, 'w');
  }

  /** All that is in it. */
  read(): string {
    const buffer = Buffer.alloc(1 << 20);
    let text = '';
    for (;;) {
      try {
        const size = readSync(this.reader!, buffer);
        if (size === 0) return text;
        text += buffer.toString('latin1', 0, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return text;
        throw error;
      }
    }
  }

  close(): void {
    if (this.reader !== undefined) closeSync(this.reader);
    this.reader = undefined;
  }
}
