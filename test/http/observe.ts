/**
 * Sends a conformance case to a server, any server, and says what came back. Waits for events and never for time; who
 * tests a server that may not answer at all gives a signal.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type Answer, type Answers, readAnswers } from './answers.ts';
import type { Case } from './conformance.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface Observation {
  readonly interim: readonly Answer[];
  /** Without the probe's answer. */
  readonly final: readonly Answer[];
  /** The answer to one more request, sent after the others were answered, where the case lets the connection live. */
  readonly probe: Answer | undefined;
  readonly end: 'ended' | 'reset' | 'open';
  /** Bytes that are no complete answer. */
  readonly rest: Buffer;
}

export interface ObserveOptions {
  /** How each part of the case is cut into writes; default: not at all. */
  readonly cut?: (part: Buffer) => Buffer[];
  /** Ends the waiting; the connection then counts as open. */
  readonly patience?: AbortSignal;
}

const probe = 'GET /probe HTTP/1.1\r\nHost: probe.example\r\nConnection: close\r\n\r\n';

export async function observe(target: Target, each: Case, options: ObserveOptions = {}): Promise<Observation> {
  const { cut = (part) => [part], patience } = options;
  const client = new Client(connect({ host: target.host, port: target.port, allowHalfOpen: true }), each, patience);
  try {
    for (const [index, part] of each.parts.entries()) {
      for (const piece of cut(part)) await client.write(piece);
      const isLast = index === each.parts.length - 1;
      if (!isLast) await client.until(({ interim, final }) => interim.length > index || final.length > 0);
    }
    if (each.halfCloses) client.socket.end();
    const count = each.expected.statuses.filter((status) => status >= 200).length;
    let isProbed = false;
    if (!each.expected.closes) {
      await client.until(({ final }) => final.length >= count);
      if (client.end === 'open' && patience?.aborted !== true) {
        isProbed = true;
        await client.write(Buffer.from(probe));
      }
    }
    await client.until(() => false);
    const { interim, final, rest } = client.answers();
    const probed = isProbed && final.length > count ? final.pop() : undefined;
    return { interim, final, probe: probed, end: client.end, rest };
  } finally {
    client.socket.destroy();
  }
}

class Client {
  readonly socket: Socket;
  end: Observation['end'] = 'open';
  private readonly each: Case;
  private readonly patience: AbortSignal | undefined;
  private readonly received: Buffer[] = [];
  private wake = () => {};

  constructor(socket: Socket, each: Case, patience: AbortSignal | undefined) {
    this.socket = socket;
    this.each = each;
    this.patience = patience;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.received.push(bytes);
      this.wake();
    });
    socket.on('end', () => this.finish('ended'));
    socket.on('close', () => this.finish('reset'));
    socket.on('error', () => this.finish('reset'));
    patience?.addEventListener('abort', () => this.wake());
  }

  /** Writes, and lets the server have its turn. What it wrote back by then, or that it closed, shows later. */
  async write(bytes: Buffer): Promise<void> {
    if (this.socket.connecting) await Promise.race([once(this.socket, 'connect'), once(this.socket, 'close')]);
    if (!this.socket.writable) return;
    this.socket.write(bytes);
    await turn();
    await turn();
  }

  /** Resolves when enough has come, or when nothing more will. */
  async until(isEnough: (answers: Answers) => boolean): Promise<void> {
    while (this.end === 'open' && this.patience?.aborted !== true && !isEnough(this.answers()))
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
  }

  answers(): Answers {
    const bytes = Buffer.concat(this.received);
    return readAnswers(bytes, (index) => this.isHead(index), this.end !== 'open');
  }

  private isHead(index: number): boolean {
    const { sees, parts } = this.each;
    if (sees?.[index] !== undefined) return sees[index].method === 'HEAD';
    return index === 0 && parts[0]!.toString('latin1', 0, 5) === 'HEAD ';
  }

  private finish(end: 'ended' | 'reset'): void {
    if (this.end === 'open') this.end = end;
    this.wake();
  }
}
