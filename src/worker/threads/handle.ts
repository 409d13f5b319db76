/** One thread as the main thread sees it: what it was given, and how it ends. The pool decides which request it gets. */

// Not the globals, which an app may replace.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { AppSource } from '../../app/script.ts';
import type { Settings } from '../../config/settings.ts';
import { AppLoadError, BootError, type ErrorReport, ExitCode, report } from '../../errors.ts';
import { Line } from '../line.ts';
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
  /** A message came, or an answer is in the ring. */
  readonly onMessage: (thread: ThreadHandle, message: FromThread | undefined) => void;
  /** Called once, when the thread has ended. `error` is what escaped in it, if anything did. */
  readonly onExit: (thread: ThreadHandle, code: number, error: unknown) => void;
}

/**
 * How long a thread may take to end by itself; and how long a thread whose request nobody waits for may take to show that it
 * responds.
 */
const stopMs = 1000;
const hearMs = 250;

export class ThreadHandle {
  readonly worker: Worker;
  readonly answers = new AnswerRing();
  /** The requests that it was given and has not finished. It may have begun the first. */
  readonly given = new Line<Relay>();
  /** Connections that its app has taken over, by the number of their requests. */
  readonly tunnels = new Map<number, ThreadEnd>();
  /** Whether the app is loaded, and the thread was not told to end. */
  isServing = false;
  hasServed = false;
  /** Whether it was idle, has not begun what it was given, and has said nothing since: see `unresponsive.ts`. */
  isSilent = false;
  /** Whether another thread has its place, or none is to have it. */
  isReplaced = false;
  /** The system's number of the thread, if known. */
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
  /** Terminates the thread if it does not end by itself. The app's own shutdown code may take as long as the worker has. */
  private ending: NodeJS.Timeout | undefined = undefined;
  private error: unknown = undefined;

  constructor({ code, source, settings, surroundings, watch, onMessage, onExit }: ThreadOptions) {
    // Not `parentPort`: the app could close it, post to it and listen on it.
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
    // The arguments of the user's script; none without a script.
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
        // Its last messages: on a port of our own they can arrive after the exit event.
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

  /** Whether it can be given a request. */
  get isOpen(): boolean {
    return this.isServing && !this.isSilent;
  }

  /** Whether it has begun any request that it was given. */
  get hasBegun(): boolean {
    for (const relay of this.given) if (this.hasBegunWith(relay)) return true;
    return false;
  }

  hasBegunWith({ id }: Relay): boolean {
    return !this.claims.isOffered(id);
  }

  give(relay: Relay): void {
    const id = ++this.lastId;
    this.given.add(relay);
    this.claims.offer(id);
    relay.begin(this, id);
  }

  /** @returns whether the thread had not begun the request, which it then no longer has */
  takeBack(relay: Relay): boolean {
    if (!this.claims.withdraw(relay.id)) return false;
    this.given.delete(relay);
    relay.thread = undefined;
    return true;
  }

  /** Messages of one turn of the event loop travel together: one message costs as much as several requests. */
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

  /** Asks the thread to end, and terminates it if it does not. Resolves when it has ended. */
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

  /** Ends the thread wherever it is in its code. */
  async kill(): Promise<void> {
    this.isServing = false;
    await this.worker.terminate();
  }
}

/** Why a thread did not start, as the error that a worker of another class would have failed with. */
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
