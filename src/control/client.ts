/** One end of the control socket: asks a running master, one order after another. */

import { connect, type Socket } from 'node:net';
import { type ControlAnswer, type ControlOrder, controlVersion } from '../ipc/control.ts';
import { CommandError, NobodyThere } from './failures.ts';

/** A master answers at once, unless it is suspended or gets no CPU time. */
const answerMs = 5000;
/** A profile of many workers may be large; beyond this, something is wrong. */
const maxAnswerBytes = 512 * 1024 * 1024;

export class ControlClient {
  readonly path: string;
  private readonly socket: Socket;
  private readonly pieces: Buffer[] = [];
  private bytes = 0;
  private lastId = 0;
  private waiting: { id: number; end(answer: ControlAnswer | Error): void } | undefined = undefined;
  /** Resolves when the connection has ended: with the master, most likely. */
  readonly ended: Promise<void>;

  private constructor(path: string, socket: Socket) {
    this.path = path;
    this.socket = socket;
    socket.on('data', (bytes) => this.take(bytes));
    socket.on('error', () => {});
    this.ended = new Promise((resolve) =>
      socket.once('close', () => {
        this.waiting?.end(new CommandError(`the master at ${path} ended the connection before it answered`));
        resolve();
      }),
    );
  }

  /** @throws NobodyThere */
  static open(path: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const timer = setTimeout(() => fail('ETIMEDOUT'), answerMs);
      const fail = (code: string | undefined) => {
        clearTimeout(timer);
        socket.destroy();
        reject(explain(path, code));
      };
      const onError = (error: NodeJS.ErrnoException) => fail(error.code);
      socket.once('error', onError);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', onError);
        resolve(new ControlClient(path, socket));
      });
    });
  }

  /**
   * @param waitMs how long the answer may take; Infinity where nobody can know
   * @throws CommandError with what the master says
   */
  async ask<T>(order: ControlOrder, waitMs = answerMs): Promise<T> {
    const id = ++this.lastId;
    const answer = await new Promise<ControlAnswer>((resolve, reject) => {
      if (this.socket.destroyed) return reject(new CommandError(`the master at ${this.path} has ended`));
      const late = () =>
        end(new CommandError(`the master at ${this.path} does not answer within ${waitMs / 1000} s: is it suspended?`));
      const timer = waitMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, waitMs);
      const end = (answer: ControlAnswer | Error) => {
        clearTimeout(timer);
        this.waiting = undefined;
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      this.waiting = { id, end };
      this.socket.write(`${JSON.stringify({ version: controlVersion, id, ...order })}\n`);
    });
    if (!answer.ok) throw new CommandError(answer.error);
    return answer.result as T;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(bytes: Buffer): void {
    const end = bytes.indexOf(10);
    if (end === -1) {
      this.pieces.push(bytes);
      this.bytes += bytes.length;
      if (this.bytes > maxAnswerBytes) this.waiting?.end(new CommandError('the answer is too long'));
      return;
    }
    const text = Buffer.concat([...this.pieces.splice(0), bytes.subarray(0, end)]).toString('utf8');
    this.bytes = 0;
    this.hear(text);
    const rest = bytes.subarray(end + 1);
    if (rest.length > 0) this.take(rest);
  }

  private hear(text: string): void {
    let answer: ControlAnswer;
    try {
      answer = JSON.parse(text) as ControlAnswer;
    } catch {
      this.waiting?.end(new CommandError(`what answers at ${this.path} is no tsgun`));
      return;
    }
    // 0: about the connection, not about one order. A late answer to an order that was given up is dropped.
    if (this.waiting !== undefined && (answer.id === this.waiting.id || answer.id === 0)) this.waiting.end(answer);
  }
}

function explain(path: string, code: string | undefined): Error {
  if (code === 'EACCES' || code === 'EPERM')
    return new CommandError(`${path} belongs to another user: run this as the user that started tsgun, or as root`);
  if (code === 'ENOENT') return new NobodyThere(`no tsgun at ${path}: there is no such socket`);
  if (code === 'ECONNREFUSED') return new NobodyThere(`no tsgun at ${path}: nobody listens there any more`);
  if (code === 'EAGAIN') return new CommandError(`the master at ${path} takes no more clients: is it suspended?`);
  if (code === 'ENOTSOCK') return new CommandError(`${path} is not a socket`);
  return new CommandError(`${path}: cannot connect (${code ?? 'no reason given'})`);
}
