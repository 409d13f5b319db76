/** A raw connection to a server under test: what is sent and what comes back, byte for byte. */

import { connect, type Socket } from 'node:net';
import { inTime, onTestFinished } from '../current.ts';

export class Client {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<void>;
  private onChange: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
      this.onChange?.();
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.onChange?.());
    onTestFinished(() => void socket.destroy());
  }

  static async open(port: number, host = '127.0.0.1', allowHalfOpen = false): Promise<Client> {
    const socket = connect({ host, port, allowHalfOpen });
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return client;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until what was received matches. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    return inTime(this.match(pattern), () => `${pattern}; received ${JSON.stringify(this.received)}`);
  }

  private async match(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.received.match(pattern);
      if (match !== null) return match;
      if (this.socket.destroyed) throw new Error(`closed before ${pattern}; received ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.onChange = resolve;
      });
    }
  }

  /** Sends, waits for the server's end, and gives all that came. */
  async exchange(text: string): Promise<string> {
    this.send(text);
    await inTime(this.closed, () => `the server to close; received ${JSON.stringify(this.received)}`);
    return this.received;
  }
}
