/**
 * Finds threads that were idle and do not begin what they are given: work that an app left behind, such as a timer, blocks
 * them. Their requests go to others, and they get no more until they respond.
 */

// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';
import { overdueGraceMs } from '../../http/limits.ts';
import type { ThreadHandle } from './handle.ts';

const checkMs = 50;
/** On a machine with more runnable threads than cores, a healthy thread may not run for some time. */
const silentMs = 250;

export interface UnresponsiveOptions {
  readonly threads: ReadonlySet<ThreadHandle>;
  /** How long a thread may be unresponsive; 0 for no limit. */
  readonly limitMs: number;
  /** The thread is unresponsive: its requests should go to others. */
  readonly onSilent: (thread: ThreadHandle) => void;
  readonly onEnd: (thread: ThreadHandle, ms: number) => void;
  /** Called at intervals while a thread has something to do. */
  readonly onCheck: (now: number) => void;
}

export class UnresponsiveThreads {
  private readonly options: UnresponsiveOptions;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: UnresponsiveOptions) {
    this.options = options;
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** A thread was given something. */
  watch(): void {
    /** The watchdog takes a stack that begins with `tsgun` for an idle process: see `examiner.ts`. */
    const tsgunCheck = () => this.check();
    this.timer ??= setInterval(tsgunCheck, checkMs).unref();
  }

  private check(): void {
    const { threads, limitMs, onSilent, onEnd, onCheck } = this.options;
    const now = performance.now();
    let isNeeded = false;
    for (const thread of threads) {
      if (!thread.isServing) continue;
      const idleMs = now - thread.progressAt;
      // It kept a request with a body, and runs that now.
      if (thread.isSilent && thread.hasBegun) thread.isSilent = false;
      if (!thread.isSilent && idleMs >= silentMs && !thread.isIdle && !thread.hasBegun) {
        thread.isSilent = true;
        thread.send(['ping']);
        onSilent(thread);
      } else if (thread.isSilent && limitMs !== 0 && idleMs >= limitMs + overdueGraceMs)
        onEnd(thread, Math.round(idleMs));
      isNeeded ||= thread.isSilent || !thread.isIdle;
    }
    onCheck(now);
    if (!isNeeded) this.stop();
  }
}
