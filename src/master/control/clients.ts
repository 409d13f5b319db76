/**
 * The clients of the control socket: bytes to orders, answers to bytes. Everything has a limit, as the master must never block
 * or grow for a client: how many there are, how long an order is, how long a client may be silent or not read.
 */

import type { Socket } from 'node:net';
import { report } from '../../errors.ts';
import { type ControlAnswer, type ControlOrder, controlVersion, maxOrderBytes } from '../../ipc/control.ts';
import { checkOrder } from './orders.ts';

const maxClients = 32;
/** How long a client may be silent between two orders. */
const idleMs = 60_000;
/** How long a client may take to read an answer. */
const writeMs = 10_000;
/** How long a client whose order is too long may take to read the refusal; what it still sends is not read. */
const refusalMs = 1000;

export type Handle = (order: ControlOrder) => Promise<unknown>;

export class Clients {
  private readonly handle: Handle;
  private readonly sockets = new Set<Socket>();

  /** @param handle gives the result, which must be fit for JSON; what it throws is the answer's error */
  constructor(handle: Handle) {
    this.handle = handle;
  }

  /** Takes a connection. */
  readonly serve = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    if (this.sockets.size >= maxClients)
      return void socket.end(
        line({ id: 0, ok: false, error: `there are ${maxClients} clients already: try again later` }),
      );
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // A connected client must not keep a finished program alive.
    socket.unref();
    new Client(socket, this.handle);
  };

  /** Ends all connections: the master stops. */
  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

class Client {
  private readonly socket: Socket;
  private readonly handle: Handle;
  private unread = Buffer.alloc(0);
  private isBusy = false;

  constructor(socket: Socket, handle: Handle) {
    this.socket = socket;
    this.handle = handle;
    socket.setTimeout(idleMs, () => !this.isBusy && socket.destroy());
    socket.on('data', (bytes) => {
      this.unread = Buffer.concat([this.unread, bytes]);
      void this.proceed();
    });
  }

  /** One order after another. Meanwhile the client's further ones wait in the kernel. */
  private async proceed(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.socket.pause();
    for (let end = this.unread.indexOf(10); end !== -1; end = this.unread.indexOf(10)) {
      const text = this.unread.toString('utf8', 0, end);
      this.unread = this.unread.subarray(end + 1);
      await this.answer(text);
      if (this.socket.destroyed) return;
    }
    this.isBusy = false;
    if (this.unread.length > maxOrderBytes) return this.refuse(`an order has at most ${maxOrderBytes} bytes`);
    this.socket.resume();
  }

  private async answer(text: string): Promise<void> {
    let id = 0;
    let answer: Omit<ControlAnswer, 'version'>;
    try {
      const request = JSON.parse(text) as { id?: unknown } | null;
      if (typeof request?.id === 'number') id = request.id;
      answer = { id, ok: true, result: await this.handle(checkOrder(request)) } as ControlAnswer;
    } catch (error) {
      answer = { id, ok: false, error: report(error).message } as ControlAnswer;
    }
    await this.send(line(answer));
  }

  /** A client that does not take its answer is cut. */
  private send(text: string): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      const timer = setTimeout(() => socket.destroy(), writeMs).unref();
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      socket.once('close', end);
      socket.write(text, () => {
        socket.off('close', end);
        end();
      });
    });
  }

  private refuse(error: string): void {
    this.socket.end(line({ id: 0, ok: false, error }));
    setTimeout(() => this.socket.destroy(), refusalMs).unref();
  }
}

function line(answer: object): string {
  return `${JSON.stringify({ version: controlVersion, ...answer })}\n`;
}
