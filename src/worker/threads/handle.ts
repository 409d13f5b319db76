/** One thread as the main thread has it: what it was given, and how it ends. Which request it gets is the pool's to say. */

// Not the globals, which an app may replace.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import { AppLoadError, BootError, type ErrorReport, ExitCode, report } from '../../errors.ts';
import type { ProgramSurroundings } from '../surroundings.ts';
import { startThread, type ThreadCode } from '../thread-code.ts';
import { AnswerRing, type Watch } from './answer-ring.ts';
import { Claims } from './claims.ts';
import type { FromThread, ThreadOrder, ToThread } from './messages.ts';
import type { Relay } from './relay.ts';
import type { ThreadEnd } from './tunnel.ts';

export interface ThreadOptions {
  readonly code: ThreadCode;
  readonly source: AppSource;
  readonly settings: Settings;
  readonly surroundings: ProgramSurroundings;
  readonly watch: Watch;
  /** Something was said, or lies in the ring. */
  readonly onMessage: (thread: ThreadHandle, message: FromThread | undefined) => void;
  /** Once, when the thread has ended; `error` is what escaped in it, if something did. */
  readonly onExit: (thread: ThreadHandle, code: number, error: unknown) => void;
}

/** What a thread gets to end by itself; and one that is still at work on what nobody waits for, to say that it hears. */
const stopMs = 1000;
const hearMs = 250;

export class ThreadHandle {
  readonly worker: Worker;
  readonly answers = new AnswerRing();
  /** What it has and has not finished, in order, by number as 32 bits. The first may have begun. */
  readonly given = new Map<number, Relay>();
  /** Connections that its app has taken over, by the number of their requests. */
  readonly tunnels = new Map<number, ThreadEnd>();
  /** Whether the app is loaded and the thread not told to end. */
  isServing = false;
  hasServed = false;
  /** Whether it has not begun with what it was given while idle, and has said nothing since: see `unresponsive.ts`. */
  isSilent = false;
  /** Whether another has its place, or nobody shall. */
  isReplaced = false;
  /** The system's number of it, where that is known. */
  systemId: number | undefined = undefined;
  /** When it last finished something, or was given something while idle. */
  progressAt = 0;
  private readonly claims = new Claims();
  private readonly port: MessagePort;
  private readonly exited: Promise<void>;
  private outbox: ToThread[] = [];
  private transfers: ArrayBuffer[] = [];
  private lastId = 0;
  private hasPonged = false;
  /** Ends it where it does not end by itself. The app's own code for its end has what time the worker has. */
  private ending: NodeJS.Timeout | undefined = undefined;
  private error: unknown = undefined;

  constructor({ code, source, settings, surroundings, watch, onMessage, onExit }: ThreadOptions) {
    // Not `parentPort`, which is the app's to close, to post to and to listen on.
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const order: ThreadOrder = {
      source: { app: source.app, script: source.script, earlierRuns: source.earlierRuns },
      settings,
      surroundings,
      claims: this.claims.memory,
      answers: this.answers.memory,
      watch: watch.memory,
      port: port2,
    };
    const name = `${settings.procName} thread`;
    // What the user's script was started with; without a script, that is nothing.
    const argv = process.argv.slice(2);
    this.worker = startThread(code, { workerData: order, transferList: [port2], name, argv });
    port1.on('message', (message: FromThread | undefined) => {
      if (message?.[0] === 'pong') this.hasPonged = true;
      if (message?.[0] === 'closing') clearTimeout(this.ending);
      onMessage(this, message);
    });
    this.worker.on('error', (error) => {
      this.error = error;
    });
    this.exited = new Promise((resolve) =>
      this.worker.once('exit', (code) => {
        this.isServing = false;
        // What it said last: a port of our own can be behind the news of the end.
        for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1))
          onMessage(this, last.message as FromThread | undefined);
        port1.close();
        onExit(this, code, this.error);
        resolve();
      }),
    );
  }

  get isBooting(): boolean {
    return !this.hasServed && !this.isReplaced;
  }

  get isIdle(): boolean {
    return this.given.size === 0;
  }

  /** Whether it can be given something. */
  get isOpen(): boolean {
    return this.isServing && !this.isSilent;
  }

  /** Whether it is at work on anything that it was given. */
  get hasBegun(): boolean {
    for (const relay of this.given.values()) if (this.hasBegunWith(relay)) return true;
    return false;
  }

  hasBegunWith({ id }: Relay): boolean {
    return !this.claims.isOffered(id);
  }

  give(relay: Relay): void {
    const id = ++this.lastId;
    this.given.set(id | 0, relay);
    this.claims.offer(id);
    relay.begin(this, id);
  }

  /** @returns whether the thread had not begun with it; then it is no longer its own */
  takeBack(relay: Relay): boolean {
    if (!this.claims.withdraw(relay.id)) return false;
    this.given.delete(relay.id | 0);
    relay.thread = undefined;
    return true;
  }

  /** Messages of one turn travel together: one of them costs as much as several requests. */
  send(message: ToThread, transfer?: ArrayBuffer): void {
    if (this.outbox.length === 0) setImmediate(() => this.flush());
    this.outbox.push(message);
    if (transfer !== undefined) this.transfers.push(transfer);
  }

  private flush(): void {
    const { outbox, transfers } = this;
    this.outbox = [];
    this.transfers = [];
    this.port.postMessage(outbox, transfers);
  }

  /** Asks it to end; ends it if it does not. Resolves when it has. */
  async stop(): Promise<void> {
    this.isServing = false;
    this.hasPonged = this.isIdle;
    this.send(['ping']);
    this.send(['stop']);
    this.ending = setTimeout(() => void this.worker.terminate(), stopMs);
    const hearing = setTimeout(() => !this.hasPonged && void this.worker.terminate(), hearMs);
    await this.exited;
    clearTimeout(this.ending);
    clearTimeout(hearing);
  }

  /** Ends it where it stands. */
  async kill(): Promise<void> {
    this.isServing = false;
    await this.worker.terminate();
  }
}

/** Why a thread did not come up, as the error that a worker of another class would have failed with. */
export function bootError({ message, stack, exitCode }: ErrorReport): Error {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  const options = cause === undefined ? {} : { cause };
  return exitCode === ExitCode.appLoad
    ? new AppLoadError(message, options)
    : new BootError(`a thread could not start: ${message}`, options);
}

export function earlyExit(code: number, error: unknown): Error {
  if (error === undefined)
    return new AppLoadError(
      `app: it ended its thread with code ${code} while it was loaded: does it call process.exit()?`,
    );
  return new AppLoadError(`app: an error escaped it while loading: ${report(error).message}`, { cause: error });
}
