/**
 * Reports the state of the service to the service manager (sd_notify(3)), if that asks for it by `$NOTIFY_SOCKET`.
 *
 * Node cannot send to a Unix datagram socket, so systemd's own command does, `systemd-notify`: one process for each
 * message, a few per life and one per watchdog interval. Hence two conditions: the command must be there, and the unit
 * must say `NotifyAccess=all` or `exec`, as the sender is not the master unless that runs as root. The command waits until
 * the manager has taken the message, so one runs at a time and the order holds; the master waits for none of them.
 */

import { type ExecFileException, execFile } from 'node:child_process';
import type { Logger } from '../../logger.ts';

/** Sends one message, assignments as in sd_notify(3); calls back when the manager has it, or with an error. */
export type Send = (assignments: readonly string[], done: (error: ExecFileException | null) => void) => void;

export interface ServiceManager {
  readonly send: Send;
  /** How often it expects a watchdog message; undefined: never. */
  readonly watchdogMs: number | undefined;
  /** The variables taken out of the environment; a new master that this one starts gets them. */
  readonly environment: NodeJS.ProcessEnv;
}

const variableNames = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;
/** The command itself gives up after 5 s. */
const longestSendMs = 10_000;

/**
 * Takes the service manager's variables out of the environment: workers, apps and their children must not
 * report for the service.
 */
export function takeServiceManager(env: NodeJS.ProcessEnv = process.env): ServiceManager | undefined {
  const taken = variableNames.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  const environment = Object.fromEntries(taken);
  for (const name of variableNames) delete env[name];
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (NOTIFY_SOCKET === undefined) return undefined;
  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const watchdogMs = Number(WATCHDOG_USEC) / 1000;
  const send: Send = (assignments, done) => {
    const options = { env: { PATH: env.PATH, NOTIFY_SOCKET }, timeout: longestSendMs, killSignal: 'SIGKILL' } as const;
    try {
      execFile('systemd-notify', assignments, options, done);
    } catch (error) {
      done(error as ExecFileException);
    }
  };
  return { send, watchdogMs: isForUs && watchdogMs > 0 ? watchdogMs : undefined, environment };
}

export class Notifier {
  private readonly manager: ServiceManager | undefined;
  private readonly queue: string[][] = [];
  private status = '';
  private saidStatus = '';
  private isSending = false;
  private isOff: boolean;
  private hasWarned = false;
  private timer: NodeJS.Timeout | undefined = undefined;
  private onIdle = () => {};
  private log: Logger | undefined = undefined;

  constructor(manager: ServiceManager | undefined) {
    this.manager = manager;
    this.isOff = manager === undefined;
  }

  /** @param ask called twice in every watchdog interval; it lets the watched loop call `alive` */
  start(log: Logger, ask: () => void): void {
    const watchdogMs = this.manager?.watchdogMs;
    this.log = log;
    if (watchdogMs !== undefined) this.timer = setInterval(ask, watchdogMs / 2).unref();
  }

  /** All workers serve, for the first time or after a reload, be it given up. */
  ready(): void {
    this.say('READY=1', `MAINPID=${process.pid}`);
  }

  reloading(): void {
    // CLOCK_MONOTONIC, which is Node's clock too, in microseconds.
    this.say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.say('STOPPING=1');
  }

  /** The service continues with another master, so this one must not report a stop. */
  yieldTo(pid: number): void {
    this.say('READY=1', `MAINPID=${pid}`);
  }

  alive(): void {
    if (!this.queue.some(([first]) => first === 'WATCHDOG=1')) this.say('WATCHDOG=1');
  }

  /** One line about the service. Of those that come while a message is under way, only the last is sent. */
  describe(status: string): void {
    this.status = status;
    this.pumpSoon();
  }

  /** Resolves when everything has been sent, or after `ms`. */
  async end(ms: number): Promise<void> {
    clearInterval(this.timer);
    if (this.isOff) return;
    this.pumpSoon();
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      setTimeout(resolve, ms).unref();
    });
  }

  private say(...assignments: string[]): void {
    if (this.isOff) return;
    this.queue.push(assignments);
    this.pumpSoon();
  }

  /** The messages of one turn go out together. */
  private pumpSoon(): void {
    if (!this.isOff) queueMicrotask(() => this.pump());
  }

  private pump(): void {
    if (this.isOff || this.isSending) return;
    const { status, queue } = this;
    const isNews = status !== this.saidStatus;
    if (queue.length === 0 && !isNews) return this.onIdle();
    const assignments = [...(queue.shift() ?? []), ...(isNews ? [`STATUS=${status}`] : [])];
    this.saidStatus = status;
    this.isSending = true;
    this.manager?.send(assignments, (error) => {
      this.isSending = false;
      if (error !== null) this.complain(error);
      this.pump();
    });
  }

  /** Warns once: the next message would fail for the same reason. */
  private complain(error: ExecFileException): void {
    const isMissing = error.code === 'ENOENT';
    const reason = isMissing ? 'there is no command systemd-notify' : error.message.trim().replace(/\s+/g, ' ');
    if (!this.hasWarned) this.log?.say('warn', {}, `the service manager cannot be told how the service is: ${reason}`);
    this.hasWarned = true;
    this.isOff ||= isMissing;
    if (this.isOff) this.onIdle();
  }
}
