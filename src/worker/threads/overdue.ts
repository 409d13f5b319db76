/** Ends requests that run for longer than they may, and if necessary their threads. */

// Not the globals, which an app may replace.
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import type { Exchange } from '../../http/exchange.ts';
import { overdueGraceMs } from '../../http/limits.ts';
import type { Logger } from '../../logger.ts';
import { type AtTimeout, logTimeout } from '../classes/failures.ts';
import { captureStack } from '../watchdog/thread-stack.ts';
import type { ThreadHandle } from './handle.ts';
import type { Relay } from './relay.ts';

const checkMs = 250;

/** In place of a stack. */
const ended = 'not taken: the request has ended meanwhile';
const noInspector = 'not taken: this Node has no inspector';

export class Overdue {
  private readonly logger: Logger;
  private readonly replace: (thread: ThreadHandle) => void;
  /** Requests that run on after their client has left: the server no longer limits their time. */
  private readonly departed = new Map<Relay, ThreadHandle>();
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(log: Logger, replace: (thread: ThreadHandle) => void) {
    this.logger = log;
    this.replace = replace;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  log({ head, requestId }: Exchange, ms: number, isStarted: boolean, at: AtTimeout): void {
    logTimeout(this.logger, { head, requestId, isStarted }, ms, at);
  }

  /**
   * The client of a request over time was answered: logs where the request's code is, and ends its thread unless the request
   * ends by itself.
   */
  async endRunaway(relay: Relay, thread: ThreadHandle, ms: number, isStarted: boolean, at: AtTimeout): Promise<void> {
    // A thread that still answers messages is not in an endless loop. It was told that nobody waits, and may yet stop.
    if (relay.hasHeard) await new Promise((resolve) => setTimeout(resolve, overdueGraceMs));
    const stack = relay.isOver ? undefined : await captureStack(thread.worker);
    // If the request is over by now, the stack is another request's.
    const found = relay.isOver ? ended : (stack ?? noInspector);
    this.log(relay.exchange, ms, isStarted, { ...at, stack: found });
    if (relay.isOver || !thread.isServing) return;
    relay.isOver = true;
    thread.isServing = false;
    this.replace(thread);
  }

  /** Ends a thread that is blocked for too long by work that an app continued after its answer. */
  async endStray(thread: ThreadHandle, ms: number): Promise<void> {
    thread.isServing = false;
    const stack = await captureStack(thread.worker);
    const fields = { ms, ...(stack === undefined ? {} : { stack }) };
    this.logger.say('warn', fields, 'a thread worked on for too long after its request: it is being replaced');
    this.replace(thread);
  }

  /** Holds a request to its deadline, if it has one, after its client has left. */
  watch(relay: Relay, thread: ThreadHandle): void {
    if (relay.exchange.deadline === 0) return;
    this.departed.set(relay, thread);
    const tsgunCheck = () => this.check();
    this.timer ??= setInterval(tsgunCheck, checkMs).unref();
  }

  private check(): void {
    const now = performance.now();
    for (const [relay, thread] of this.departed) {
      const { deadline, startedAt, isStarted } = relay.exchange;
      if (!relay.isOver && deadline > now) continue;
      this.departed.delete(relay);
      relay.hasHeard = false;
      if (!relay.isOver) void this.endRunaway(relay, thread, Math.round(now - startedAt), isStarted, { hasLeft: true });
    }
    if (this.departed.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
