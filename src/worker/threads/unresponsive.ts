/**
 * Threads that were idle and do not begin with what they are given: work that an app left behind, a timer for example,
 * holds them. Nothing waits for such a thread, and it gets nothing more until it is heard again.
 */

// Not the globals, which an app may replace.
import { clearInterval, setInterval } from 'node:timers';
import { overdueGraceMs } from '../../http/limits.ts';
import type { ThreadHandle } from './handle.ts';

const checkMs = 50;
/** On a machine with more to do than cores, a thread that is well may not come to run for some time. */
const silentMs = 250;

export interface UnresponsiveOptions {
  readonly threads: ReadonlySet<ThreadHandle>;
  /** How long a thread may be silent; 0 for as long as it likes. */
  readonly limitMs: number;
  /** A thread is silent: what it was given should go elsewhere. */
  readonly onSilent: (thread: ThreadHandle) => void;
  readonly onEnd: (thread: ThreadHandle, ms: number) => void;
  /** Called at intervals while any thread has something to do. */
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
    /** Its name says to a watchdog that nothing else runs. */
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
      // A request with a body stayed with it, and runs now.
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
